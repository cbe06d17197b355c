// Toasts go by themselves after a while, unless the pointer or the focus rests on them.
const LINGER_MS = 6000;

const release = (toast) => {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) release(toast);
    else toast.remove();
  }, LINGER_MS);
};

export const tell = (text) => {
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
  document.querySelector("#toasts").append(toast);
  release(toast);
};

document.querySelectorAll(".toast").forEach(release);
document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss]")?.closest(".toast")?.remove();
});
