// Files that are dropped on the page or chosen are copied into the folder, and the last one is opened.

import { upload } from "./api.js";

export class Drops {
  constructor(list, open, notice) {
    Object.assign(this, { list, open, notice });
    const [target, choose] = [document.getElementById("drop"), document.getElementById("choose")];
    addEventListener("dragover", (event) => {
      event.preventDefault();
      target.hidden = false;
    });
    addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) target.hidden = true; // it left the window
    });
    addEventListener("drop", (event) => {
      event.preventDefault();
      target.hidden = true;
      this.#add([...event.dataTransfer.files]);
    });
    document.getElementById("add").addEventListener("click", () => choose.click());
    choose.addEventListener("change", () => this.#add([...choose.files]));
  }

  async #add(files) {
    const problems = [];
    const added = [];
    for (const file of files) {
      this.notice(`Copying ${file.name}…`);
      try {
        added.push({ name: file.name, ...(await upload(file)) });
      } catch (error) {
        problems.push(`${file.name}: ${error.message.replace(`${file.name}: `, "")}`);
      }
    }
    await this.list.load();
    const listed = added.filter(({ id }) => this.list.find(id));
    problems.push(...added.filter((each) => !listed.includes(each)).map(({ name }) => `${name}: named as a mask or an overlay, not as a frame.`));
    if (listed.length) await this.open(this.list.find(listed.at(-1).id));
    this.notice(problems.join(" "), "bad");
  }
}
