// What a key press means on the review screen.

const ACTIONS = {
  " ": "confirm", ArrowDown: "next", ArrowUp: "previous",
  j: "next", k: "previous", e: "evidence", n: "note", f: "harm", s: "skip", u: "undo", "?": "help",
};
const SCROLL_OR_PRESS = new Set([" ", "ArrowDown", "ArrowUp"]);
const OWNERS = "button, a, .scroll";

export class Keys {
  #pointed = null;

  constructor() {
    addEventListener("pointerdown", ({ target }) => { this.#pointed = target.closest(OWNERS); }, true);
    addEventListener("keydown", ({ key }) => { if (key === "Tab") this.#pointed = null; }, true);
  }

  /** {action, level?, letter?} of a keydown event, or null where the key is not ours; `letter` may be a criterion's. */
  meaning(event) {
    if (event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return null;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return null;
    if (SCROLL_OR_PRESS.has(event.key) && this.#isOwned(event.target)) return null;
    const level = levelOf(event);
    if (level !== null) return { action: "level", level };
    if (event.shiftKey && event.key !== "?") return null;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!(key in ACTIONS) && !/^[a-z]$/.test(key)) return null;
    return { action: ACTIONS[key] ?? "letter", letter: key };
  }

  // Who walked to a button or a scrolling region with Tab wants the space bar and the arrows to work there as everywhere.
  // A click must not take them away from the rubric. (:focus-visible does not tell: any key press makes it true.)
  #isOwned(target) {
    const owner = target.closest(OWNERS);
    return owner !== null && owner !== this.#pointed;
  }
}

// Digits as typed, and by place on the keyboard: the digit row of a French keyboard needs Shift for its digits, and a
// numeric pad without NumLock sends "End" for its 1.
function levelOf(event) {
  if (/^[0-9]$/.test(event.key)) return Number(event.key);
  const place = event.shiftKey ? null : /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  return place ? Number(place[1]) : null;
}
