// A button that copies text.
import { make } from "/dom.js";

const kShownMs = 2000;  // how long the button says what became of it

// Browsers give navigator.clipboard to HTTPS and loopback only. Elsewhere a selection of a text field is copied.
function copyBySelection(text) {
  const field = make("textarea", { class: "unseen", readonly: true }, text);
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("the browser does not copy; select the text and copy it");
}

async function copy(text) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copyBySelection(text);
}

export function copyButton(label, text) {
  const button = make("button", {
    class: "copy",
    onclick: async () => {
      try {
        await copy(text);
        button.textContent = "Copied";
      } catch (error) {
        button.textContent = "Not copied";
        button.title = error.message;
      }
      button.focus();
      setTimeout(() => { button.textContent = label; }, kShownMs);
    },
  }, label);
  return button;
}
