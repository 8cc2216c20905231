// WCAG 2.1.4: single-key shortcuts can be turned off. Kept per reviewer in this browser.

export function shortcutsSwitch(box, reviewer) {
  const key = `assay.shortcuts.${reviewer}`;
  const show = () => {
    box.checked = localStorage.getItem(key) !== "off";
    document.body.classList.toggle("no-shortcuts", !box.checked);
  };
  box.addEventListener("change", () => {
    localStorage.setItem(key, box.checked ? "on" : "off");
    show();
  });
  show();
  return { get on() { return box.checked; } };
}
