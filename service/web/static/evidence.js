// The evidence: tabs, and jumping to the element that shows a piece of it.

export class Evidence {
  #visited = new Map();

  constructor(root) {
    this.tabs = [...root.querySelectorAll('[role="tab"]')];
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.open(tab));
      tab.addEventListener("keydown", (event) => this.#walk(event, tab));
    }
  }

  open(tab) {
    for (const other of this.tabs) {
      const selected = other === tab;
      other.setAttribute("aria-selected", String(selected));
      other.tabIndex = selected ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !selected;
    }
  }

  #walk(event, tab) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = this.tabs[(this.tabs.indexOf(tab) + step + this.tabs.length) % this.tabs.length];
    this.open(next);
    next.focus();
  }

  /** Go to the next piece of evidence listed in `detail`, round and round. False where it lists none. */
  next(detail) {
    const targets = [...detail.querySelectorAll("[data-jump]")].map((button) => button.dataset.jump);
    if (!targets.length) return false;
    const turn = this.#visited.get(detail) ?? 0;
    this.#visited.set(detail, turn + 1);
    this.jump(targets[turn % targets.length]);
    return true;
  }

  jump(id) {
    const element = document.getElementById(id);
    const panel = element.closest('[role="tabpanel"]');
    if (panel) this.open(this.tabs.find((tab) => tab.getAttribute("aria-controls") === panel.id));
    document.querySelector(".target")?.classList.remove("target");
    element.classList.add("target");
    element.scrollIntoView({ block: "center" });
  }
}
