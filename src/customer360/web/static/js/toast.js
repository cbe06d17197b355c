// Toasts go by themselves after a while, unless the pointer or the focus rests on them.
const LINGER_MS = 6000;
// One that offers an undo leaves time to think about it.
const LINGER_WITH_UNDO_MS = 20000;
const released = new WeakSet();

const linger = (toast) => {
  setTimeout(
    () => {
      if (toast.matches(":hover, :focus-within")) linger(toast);
      else toast.remove();
    },
    toast.querySelector("[data-undo]") ? LINGER_WITH_UNDO_MS : LINGER_MS,
  );
};

const release = (toast) => {
  if (released.has(toast) || toast.matches("[data-stays]")) return;
  released.add(toast);
  linger(toast);
};

// A toast of scripts; with an action ({ label, act }) it stays until that is done, or needless.
export const tell = (text, action) => {
  untell();
  const toast = document.createElement("div");
  toast.className = "toast";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  toast.append(words, close);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "toast-action";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      toast.remove();
      action.act();
    });
    toast.dataset.stays = "";
    close.before(button);
  }
  // What lies over the page would hide it.
  const place = document.querySelector("dialog[open] [data-told]") ?? document.querySelector("#toasts");
  place.append(toast);
  release(toast);
};

export const untell = () => document.querySelectorAll(".toast[data-stays]").forEach((toast) => toast.remove());

const releaseAll = () => document.querySelectorAll(".toast").forEach(release);
releaseAll();
document.addEventListener("htmx:afterSettle", releaseAll);
document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss]")?.closest(".toast")?.remove();
});
