// Questions to the person.

export const isAsking = () => document.querySelector("dialog[open]") !== null;

function element(name, properties, ...content) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...content);
  return made;
}

// Resolves to the value of the button that closed the dialog, "" for Escape. The last button is that of the Enter key.
function open(heading, content, choices) {
  const buttons = choices.map(([value, text], place) => {
    const isLast = place === choices.length - 1;
    const button = element("button", { value, textContent: text, className: isLast ? "main" : "", type: isLast ? "submit" : "button" });
    if (!isLast) button.addEventListener("click", () => dialog.close(value));
    return button;
  });
  const title = element("h2", { textContent: heading, id: "dialog-title" });
  const form = element("form", { method: "dialog" }, title, ...content, element("menu", {}, ...buttons));
  const dialog = element("dialog", {}, form);
  dialog.setAttribute("aria-labelledby", "dialog-title");
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector("input, .chips button, a") ?? buttons.at(-1)).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

const paragraph = (text) => element("p", { textContent: text });

// A line of text, with suggestions to choose from; null if the person cancels.
export async function ask(heading, text, { suggestions = [], numeric = false } = {}) {
  const input = element("input", { required: true, ariaLabel: heading, maxLength: 300, inputMode: numeric ? "decimal" : "text" });
  const chips = suggestions.map((suggestion) => {
    const chip = element("button", { type: "button", textContent: suggestion });
    chip.addEventListener("click", () => {
      input.value = suggestion;
      chip.closest("dialog").close("ok");
    });
    return chip;
  });
  const content = [paragraph(text), input, element("div", { className: "chips" }, ...chips)];
  const answer = await open(heading, content, [["", "Cancel"], ["ok", "OK"]]);
  return answer === "ok" && input.value.trim() ? input.value.trim() : null;
}

// Shows paragraphs and elements; resolves to the value of the button that was chosen.
export function tell(heading, content, choices = [["ok", "Close"]]) {
  return open(heading, content.map((each) => (typeof each === "string" ? paragraph(each) : each)), choices);
}
