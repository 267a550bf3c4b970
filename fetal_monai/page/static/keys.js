// Everything by keyboard. The same table binds the keys and explains them.

import { isAsking, tell } from "./dialogs.js";

const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space" };

const MOST_SHOWN = 2;

export class Keys {
  #groups = [];
  #actions = new Map();

  // rows: [keys, words, action]; a key is written as "Shift+ArrowLeft", "Ctrl+z" or "a".
  add(group, rows) {
    this.#groups.push([group, rows]);
    for (const [keys, , action] of rows) for (const key of keys) this.#actions.set(key, action);
  }

  listen() {
    addEventListener("keydown", (event) => {
      const typing = event.target.matches("input:not([type=range]), select, textarea");
      if (isAsking() || (typing && event.key !== "Escape")) return;
      if (event.key === "Escape") event.target.blur();
      if ([" ", "Enter"].includes(event.key) && event.target.matches("button, [role=tab]")) return; // presses the button
      if (event.key.startsWith("Arrow") && event.target.matches("[type=range], [role=listbox]")) return;
      const held = [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", event.shiftKey && event.key.length > 1 && "Shift"];
      const key = [...held.filter(Boolean), event.key.length === 1 ? event.key.toLowerCase() : event.key].join("+");
      const action = this.#actions.get(key);
      if (!action) return;
      event.preventDefault();
      action(event);
    });
  }

  explain() {
    const table = document.createElement("div");
    table.className = "keys";
    for (const [group, rows] of this.#groups) {
      const list = document.createElement("dl");
      const heading = document.createElement("h3");
      heading.textContent = group;
      for (const [keys, words] of rows) {
        const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
        for (const key of keys.filter((each) => !each.includes("Shift")).slice(0, MOST_SHOWN)) {
          const cap = document.createElement("kbd");
          cap.textContent = key === "+" ? key : key.split("+").map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ");
          term.append(cap, " ");
        }
        meaning.textContent = words;
        list.append(term, meaning);
      }
      const section = document.createElement("section");
      section.append(heading, list);
      table.append(section);
    }
    return tell("Keys", [table]);
  }
}
