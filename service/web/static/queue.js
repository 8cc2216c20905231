// Enter starts: the first link has the focus.
document.getElementById("start")?.focus({ focusVisible: true });
