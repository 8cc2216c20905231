// Changes on their way to the server, kept in localStorage until the server has them: a lost connection, a reload or a
// closed laptop loses no decision. All of them may be sent twice; the server takes a repetition as what it is.

const WAIT_MS = [1000, 2000, 5000, 10000];
const CONFLICT_WAIT_MS = 30000;
const LEFT_MS = 10000;
const EVERYTHING_WAITS = new Set(["offline", "signed-out"]);

export class Outbox extends EventTarget {
  #key; #csrf; #sending = false; #timer = 0; #failures = 0; #leaving = false; #accepted = new Set();

  constructor(reviewer, csrf) {
    super();
    this.#key = `assay.outbox.${reviewer}`;
    this.#csrf = csrf;
    addEventListener("online", () => this.flush());
    addEventListener("beforeunload", () => this.#leave());
  }

  /** Changes not yet accepted: [{id, run, method, path, body}]. */
  get pending() {
    return JSON.parse(localStorage.getItem(this.#key) ?? "[]");
  }

  /** The next page may have been made before the server had a change that is accepted now. So changes stay until this page
   * is gone: the next one shows them and sends them again. A page that is still there after a while was not left. */
  #leave() {
    this.#leaving = true;
    setTimeout(() => {
      this.#leaving = false;
      this.#keep(this.pending.filter(({ id }) => !this.#accepted.has(id)));
    }, LEFT_MS);
  }

  #keep(entries) {
    localStorage.setItem(this.#key, JSON.stringify(entries));
  }

  /** Send a change of `/review/{run}/{path}`; it takes the place of an unsent one of the same path. */
  put(run, path, method, body) {
    const others = this.pending.filter((entry) => entry.run !== run || entry.path !== path);
    this.#keep([...others, { id: crypto.getRandomValues(new Uint32Array(2)).join("-"), run, method, path, body }]);
    this.flush();
  }

  /** Forget the changes of a run that the server will not take. */
  discard(run) {
    this.#keep(this.pending.filter((entry) => entry.run !== run));
    this.flush();
  }

  /** Send what is pending, oldest first. Tells by events: `accepted`, and `sync` with the state it came to.
   *
   * A refused change holds up the later ones of its run, not those of other runs; without a server all wait.
   */
  async flush() {
    if (this.#sending) return;
    clearTimeout(this.#timer);
    this.#sending = true;
    let failure = null;
    const stuck = new Set();
    for (let entry; (entry = this.pending.find(({ id, run }) => !stuck.has(run) && !this.#accepted.has(id))); ) {
      this.#tell("sync", { state: "saving" });
      const { answer, problem } = await this.#send(entry);
      if (problem) {
        failure = { ...problem, run: entry.run };
        if (EVERYTHING_WAITS.has(problem.state)) break;
        stuck.add(entry.run);
      } else {
        if (this.#leaving) this.#accepted.add(entry.id);
        else this.#keep(this.pending.filter((other) => other.id !== entry.id));
        this.#tell("accepted", { entry, answer });
      }
    }
    this.#sending = false;
    this.#failures = failure ? this.#failures + 1 : 0;
    this.#tell("sync", failure ?? { state: "saved" });
    if (failure) this.#timer = setTimeout(() => this.flush(), this.#wait(failure));
  }

  #wait({ state }) {
    return state === "offline" ? WAIT_MS[Math.min(this.#failures, WAIT_MS.length) - 1] : CONFLICT_WAIT_MS;
  }

  async #send({ run, method, path, body }) {
    let response;
    try {
      response = await fetch(`/review/${run}/${path}`, {
        method,
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.#csrf, Accept: "application/json" },
        body: body === null ? undefined : JSON.stringify(body),
        keepalive: true,
      });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) return { answer };
      return { problem: { state: stateOf(response.status), detail: answer.detail ?? response.statusText } };
    } catch {
      return { problem: { state: "offline", detail: "" } };
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function stateOf(status) {
  if (status === 401 || status === 403) return "signed-out";
  if (status === 409) return "lost";
  return status === 429 || status >= 500 ? "offline" : "refused";
}
