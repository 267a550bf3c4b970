// Keeps annotations: at once on the server, and in the browser for as long as the server cannot be reached.

import { frameOf, send } from "./api.js";

const RETRY_MS = 2000;

export class Autosave extends EventTarget {
  folder = ""; // whose drafts these are: another one may be open at the same address later
  #waiting = new Map(); // by key: { frame, annotation, revision }
  #running = null;

  get isIdle() {
    return !this.#waiting.size;
  }

  // When everything is on the server.
  async settled() {
    await this.#running;
  }

  keep(frame, annotation, revision) {
    const key = this.#key(frame);
    // The revision that the person has seen stays that of the first change which waits.
    this.#waiting.set(key, { frame, annotation, revision: this.#waiting.get(key)?.revision ?? revision });
    localStorage.setItem(key, JSON.stringify(this.#waiting.get(key)));
    this.#tell("saving");
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  // What was drawn while the server could not be reached, before the tab was closed.
  draft(frame, revision) {
    const kept = JSON.parse(localStorage.getItem(this.#key(frame)) ?? "null");
    if (kept && kept.revision === revision) return kept.annotation;
    if (kept) localStorage.removeItem(this.#key(frame));
    return null;
  }

  async #run() {
    while (this.#waiting.size) {
      const [key, waiting] = this.#waiting.entries().next().value;
      const { frame, annotation, revision } = waiting;
      let saved;
      try {
        saved = await send("PUT", `${frameOf(frame)}/annotation`, { annotation, revision });
      } catch (error) {
        if (error.status === 0 || error.status >= 500) {
          this.#tell("offline", error.message);
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          continue;
        }
        this.#waiting.delete(key);
        if (error.status !== 404) localStorage.removeItem(key); // the file may come back
        this.dispatchEvent(new CustomEvent("refused", { detail: { frame, error } }));
        continue;
      }
      this.#done(key, waiting, saved.revision);
      this.dispatchEvent(new CustomEvent("saved", { detail: { frame, saved } }));
    }
    this.#tell("saved-all");
  }

  #done(key, sent, revision) {
    if (this.#waiting.get(key) === sent) {
      this.#waiting.delete(key);
      localStorage.removeItem(key);
    } else {
      this.#waiting.get(key).revision = revision; // changed meanwhile
    }
  }

  #key({ id, index }) {
    return `draft:${this.folder}:${id}:${index}`;
  }

  #tell(state, reason = "") {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, reason } }));
  }
}
