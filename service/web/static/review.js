// The single-response screen: keys and clicks in, changes to the outbox out.

import { Evidence } from "./evidence.js";
import { Keys } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Rubric } from "./rubric.js";
import { shortcutsSwitch } from "./switch.js";

const NOTE_WAIT_MS = 600;
const SYNC = { saving: "Saving…", saved: "Saved" };

const find = (id) => document.getElementById(id);
const page = find("review");
const run = page.dataset.run;
const former = `assay.former.${page.dataset.reviewer}`;
const outbox = new Outbox(page.dataset.reviewer, document.querySelector('meta[name="csrf-token"]').content);
const rubric = new Rubric(find("criteria"), [...document.querySelectorAll(".detail")]);
const evidence = new Evidence(page);
const keys = new Keys();
const shortcuts = shortcutsSwitch(find("shortcuts"), page.dataset.reviewer);
const saved = "saved" in page.dataset;
let leaving = false;
let lastDecided = "";

// --- what the reviewer does

function confirm() {
  if (!rubric.confirm()) say("Nothing is suggested here, so there is nothing to confirm. Choose a level.");
}

function undo() {
  if (saved) return reopen(run, "");
  if (rubric.undo()) return say("Taken back.");
  const before = JSON.parse(sessionStorage.getItem(former) ?? "null");
  return before ? bringBack(before) : say("There is nothing to take back.");
}

function bringBack(before) {
  sessionStorage.removeItem(former);
  if (before.skipped) return leave(`/review/${before.run}`);
  return reopen(before.run, before.criterion);
}

function reopen(reviewed, criterion) {
  outbox.put(reviewed, "undo", "POST", { criterion });
}

function openNote() {
  rubric.note(rubric.current).focus();
}

const actions = {
  confirm,
  undo,
  level: ({ level }) => rubric.decide(level),
  next: () => rubric.move(1),
  previous: () => rubric.move(-1),
  evidence: () => evidence.next(rubric.detail()) || say("No evidence is listed for this criterion."),
  note: openNote,
  harm: () => open("harm"),
  skip: () => open("skip"),
  help: () => open("help"),
  letter: ({ letter }) => rubric.find(letter),
};
const ALWAYS = new Set(["next", "previous", "letter", "evidence", "undo", "help"]);

document.addEventListener("keydown", (event) => {
  if (!shortcuts.on || leaving || document.querySelector("dialog[open]")) return;
  const key = keys.meaning(event);
  if (!key) return;
  event.preventDefault();
  if (rubric.complete && !ALWAYS.has(key.action)) return say("All criteria are decided. Undo takes the last one back.");
  actions[key.action](key);
});

function open(id) {
  find(id).showModal();
}

// --- rubric and notes

rubric.addEventListener("change", ({ detail: card }) => {
  say("");
  if (card.dataset.level !== "") lastDecided = card.dataset.criterion;
  sendDraft(card);
});

function sendDraft(card) {
  const { criterion, level, milliseconds } = card.dataset;
  const note = rubric.note(card).value;
  const path = `draft/${encodeURIComponent(criterion)}`;
  if (level === "" && note === "") return outbox.put(run, path, "DELETE", null);
  return outbox.put(run, path, "PUT", { level: level === "" ? null : Number(level), note, milliseconds: Number(milliseconds) });
}

for (const card of rubric.cards) {
  const note = rubric.note(card);
  let timer = 0;
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    sendDraft(card);
  };
  note.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(send, NOTE_WAIT_MS);
  });
  note.addEventListener("blur", () => timer && send());
  addEventListener("pagehide", () => timer && send());
  note.addEventListener("keydown", (event) => {
    const done = event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
    if (done) rubric.focus(card);
  });
}

// --- dialogs. What was chosen is taken at once: until a dialog tells that it is closed, the next key may have opened it again

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("close", () => document.querySelector("dialog[open]") || rubric.focus());
}

find("harm").addEventListener("submit", ({ submitter: { value: choice } }) => {
  if (choice === "flag") outbox.put(run, "harm", "PUT", { note: find("harm-note").value });
  else if (choice === "remove") outbox.put(run, "harm", "DELETE", null);
  else return;
  showHarm(choice === "flag");
});

function showHarm(flagged) {
  find("harm-state").hidden = !flagged;
  find("remove-harm").hidden = !flagged;
}

find("skip").addEventListener("submit", ({ submitter: { value: choice } }) => {
  if (choice !== "skip") return;
  const chosen = find("skip").querySelector('input[name="reason"]:checked').value;
  const more = find("skip-note").value.trim();
  outbox.put(run, "skip", "POST", { reason: more ? `${chosen}: ${more}` : chosen });
});

// --- mouse; a click must not take the keys away from the rubric

document.addEventListener("click", (event) => {
  const jump = event.target.closest("[data-jump]");
  if (jump) evidence.jump(jump.dataset.jump);
  const button = event.target.closest("button");
  if (button && event.detail > 0 && !document.querySelector("dialog[open]")) rubric.focus();
});
find("undo").addEventListener("click", undo);
find("open-harm").addEventListener("click", () => open("harm"));
find("open-skip").addEventListener("click", () => open("skip"));
find("open-help").addEventListener("click", () => open("help"));

// --- the server's answers

outbox.addEventListener("accepted", ({ detail: { entry, answer } }) => {
  if (entry.path === "undo") return leave(`/review/${entry.run}`);
  if (entry.run !== run) return;
  if (entry.path === "skip") return leaveFor({ run, title: document.title, skipped: true });
  if (answer.saved) leaveFor({ run, title: document.title, criterion: lastDecided });
});

let refused = "";

outbox.addEventListener("sync", ({ detail: { state, detail, run: of } }) => {
  const kept = outbox.pending.length;
  find("sync").textContent = SYNC[state] ?? `${kept} not saved`;
  find("sync").dataset.state = state;
  refused = state === "lost" || state === "refused" ? of : "";
  find("discard").hidden = !refused;
  const told = {
    offline: "The server cannot be reached. Your decisions are kept in this browser and sent when it is back.",
    lost: `${which(of)}: ${detail} Your decisions are kept in this browser; saving is tried again.`,
    "signed-out": "You are signed out. Sign in again in another tab: your decisions are kept here and sent then.",
    refused: `${which(of)}: the server refused a change. ${detail}`,
  }[state];
  find("alarm").textContent = told ?? "";
});

function which(of) {
  return of === run ? "This response" : "An earlier response";
}

find("discard").addEventListener("click", () => {
  const own = refused === run;
  outbox.discard(refused);
  if (own) leave("/review");
});

function leaveFor(before) {
  sessionStorage.setItem(former, JSON.stringify(before));
  leave("/review/next");
}

function leave(address) {
  leaving = true;
  location.assign(address);
}

function say(text) {
  find("message").textContent = text;
}

// --- start: what did not reach the server before a reload comes first

for (const { run: of, path, body } of outbox.pending) {
  const card = of === run && path.startsWith("draft/") ? rubric.card(decodeURIComponent(path.slice(6))) : null;
  if (!card) continue;
  rubric.set(card, body?.level?.toString() ?? "");
  rubric.note(card).value = body?.note ?? "";
}
showHarm("harm" in page.dataset);
rubric.focus(rubric.cards.find((card) => card.dataset.level === "") ?? rubric.cards[0]);
if (rubric.complete && !saved) sendDraft(rubric.cards.at(-1)); // decided, but the answer that it is saved never came
const before = JSON.parse(sessionStorage.getItem(former) ?? "null");
if (saved) say("You have reviewed this. Undo reopens it.");
else if (before && before.run !== run) say(`${before.skipped ? "Skipped" : "Saved"} ${before.title.replace(/ · Assay$/, "")}. U to undo.`);
if (outbox.pending.length) outbox.flush();
