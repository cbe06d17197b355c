// "/" focuses the search, "?" lists the shortcuts, "g" and a letter goes to the page that the list says.
const GO_MS = 1500;
let goingSince = -Infinity;

const go = (key) => {
  goingSince = -Infinity;
  document.querySelector(`#shortcuts [data-go="${CSS.escape(key)}"]`)?.click();
};

export const typing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.timeStamp - goingSince < GO_MS && event.key !== "Shift") {
    // Elsewhere the letter alone may do something, such as merge two customers.
    event.stopImmediatePropagation();
    event.preventDefault();
    go(event.key);
    return;
  }
  if (event.key === "g" && !event.repeat) goingSince = event.timeStamp;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }
  if (event.key === "?") {
    const dialog = document.querySelector("#shortcuts");
    dialog?.showModal();
  }
});

// A click beside the dialog closes it.
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement) event.target.close();
});
