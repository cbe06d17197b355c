// The command palette: Ctrl or ⌘ with K opens it, the arrows choose, Enter goes there. /find is the same as a page.
const dialog = document.querySelector("#palette");
const form = dialog?.querySelector("form");
const input = dialog?.querySelector("[role=combobox]");
const list = dialog?.querySelector("#palette-found");
const options = () => [...list.querySelectorAll("a")];
const chosen = () => list.querySelector("[aria-selected=true]");

// Enter was pressed before the answer to what was typed: it means the first of what comes.
let hasty = false;

const choose = (option) => {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
};

const empty = () => {
  choose(null);
  list.replaceChildren();
  list.removeAttribute("role");
  input.setAttribute("aria-expanded", "false");
};

const open = () => {
  if (document.querySelector("dialog[open]")) return;
  form.reset();
  dialog.showModal();
  form.dispatchEvent(new Event("open"));
};

const step = (by) => {
  const all = options();
  choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
};

const KEYS = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(chosen() ? -1 : 0),
  Enter: () => (chosen() ? chosen().click() : (hasty = true)),
};

// What a page has as links are the options of one list here.
const dress = () => {
  const all = options();
  all.forEach((option, number) => {
    option.id = `found-${number}`;
    option.tabIndex = -1;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
  });
  list.querySelectorAll("[role=group] > p").forEach((label) => label.setAttribute("role", "presentation"));
  list.setAttribute("role", all.length ? "listbox" : "status");
  input.setAttribute("aria-expanded", String(all.length > 0));
  choose(all[0]);
  if (hasty) all[0]?.click();
  hasty = false;
};

if (dialog) {
  if (navigator.platform.startsWith("Mac")) {
    document.querySelectorAll("[data-command]").forEach((key) => (key.textContent = "⌘"));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-palette]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  input.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || event.isComposing) return;
    event.preventDefault();
    act();
  });
  // What is listed answers another question now.
  input.addEventListener("input", () => choose(null));
  list.addEventListener("htmx:afterSwap", dress);
  // Names do not stay in a page that is left or kept.
  dialog.addEventListener("close", empty);
  addEventListener("pagehide", () => dialog.close());
}
