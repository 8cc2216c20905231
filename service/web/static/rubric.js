// The rubric: which criterion has the focus, what is decided, and the way back.

export class Rubric extends EventTarget {
  #undo = []; #since = 0; #spent = 0;

  /** `root` holds the criteria, `details` their details below; what is decided stands in the cards' data attributes. */
  constructor(root, details) {
    super();
    this.cards = [...root.querySelectorAll(".criterion")];
    this.details = details;
    this.current = this.cards.find((card) => card.dataset.level === "") ?? this.cards[0];
    for (const card of this.cards) {
      this.#draw(card);
      card.addEventListener("focusin", () => this.#select(card));
      card.addEventListener("mousedown", () => this.#select(card));
      for (const button of card.querySelectorAll("button")) {
        button.addEventListener("click", () => this.decide(Number(button.dataset.level), card));
      }
    }
    document.addEventListener("visibilitychange", () => this.#clock(!document.hidden));
    this.focus(this.current);
    this.#restart();
  }

  get complete() {
    return this.cards.every((card) => card.dataset.level !== "");
  }

  card(criterion) {
    return this.cards.find((card) => card.dataset.criterion === criterion);
  }

  detail(card = this.current) {
    return this.details.find((detail) => detail.dataset.detail === card.dataset.criterion);
  }

  note(card) {
    return this.detail(card).querySelector("textarea");
  }

  focus(card = this.current) {
    this.#select(card);
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  /** Go to the criterion with that hotkey. False where there is none. */
  find(hotkey) {
    const card = this.cards.find((other) => other.dataset.hotkey === hotkey);
    if (card) this.focus(card);
    return Boolean(card);
  }

  move(step) {
    const place = this.cards.indexOf(this.current) + step;
    this.focus(this.cards[Math.max(0, Math.min(place, this.cards.length - 1))]);
  }

  /** Take the suggestion of the current criterion. False where there is none. */
  confirm() {
    const { suggested } = this.current.dataset;
    if (suggested === "") return false;
    this.decide(Number(suggested));
    return true;
  }

  /** Set a level and go on to the next criterion that is still open. Nothing changes once all are decided: a key too
   * many must not alter what is being saved. */
  decide(level, card = this.current) {
    if (this.complete || !card.querySelector(`button[data-level="${level}"]`)) return;
    this.#select(card);
    this.#clock(false);
    this.#undo.push({ criterion: card.dataset.criterion, before: card.dataset.level });
    card.dataset.milliseconds = Math.round(this.#spent);
    this.set(card, String(level));
    this.#changed(card);
    this.#restart();
    const place = this.cards.indexOf(card);
    const after = [...this.cards.slice(place + 1), ...this.cards.slice(0, place)];
    this.focus(after.find((other) => other.dataset.level === "") ?? card);
  }

  /** Take the last decision back; after a reload, the last decided criterion in rubric order. False: none is left. */
  undo() {
    const decided = this.cards.filter((card) => card.dataset.level !== "");
    const last = this.#undo.pop() ?? (decided.length ? { criterion: decided.at(-1).dataset.criterion, before: "" } : null);
    if (!last) return false;
    const card = this.card(last.criterion);
    this.set(card, last.before);
    this.#changed(card);
    this.focus(card);
    return true;
  }

  /** Show `level` ("" for none) as decided, without telling the server. */
  set(card, level) {
    card.dataset.level = level;
    this.#draw(card);
  }

  #changed(card) {
    this.dispatchEvent(new CustomEvent("change", { detail: card }));
  }

  #select(card) {
    if (card !== this.current) this.#restart();
    this.current = card;
    for (const other of this.cards) other.classList.toggle("current", other === card);
    for (const detail of this.details) detail.hidden = detail.dataset.detail !== card.dataset.criterion;
  }

  #draw(card) {
    const { level, suggested } = card.dataset;
    for (const button of card.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.level === level));
    }
    card.classList.toggle("decided", level !== "");
    card.querySelector(".verdict").textContent = verdict(level, suggested);
  }

  // Time is counted while the page is in view.
  #clock(running) {
    if (this.#since) this.#spent += performance.now() - this.#since;
    this.#since = running ? performance.now() : 0;
  }

  #restart() {
    this.#spent = 0;
    this.#since = document.hidden ? 0 : performance.now();
  }
}

// For the eye only: the server computes the verdict from the values.
function verdict(level, suggested) {
  if (level === "") return suggested === "" ? "" : "suggested";
  if (suggested === "") return "decided";
  return level === suggested ? "confirmed" : `overrides ${suggested}`;
}
