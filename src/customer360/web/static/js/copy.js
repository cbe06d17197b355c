// Copy buttons: shown only where they can work; data-copy names the element whose text is copied.
import { tell } from "./toast.js";

const reveal = (root) => {
  if (!navigator.clipboard) return;
  root.querySelectorAll("[data-copy][hidden]").forEach((button) => button.removeAttribute("hidden"));
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    tell("Copied.");
  } catch {
    tell("The browser did not allow copying; select the text instead.");
  }
});

reveal(document);
document.addEventListener("htmx:afterSwap", () => reveal(document));
