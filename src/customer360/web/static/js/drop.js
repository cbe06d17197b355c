// Panels that hang under a button close on Esc, giving the focus back, and on a click elsewhere.
const open = () => document.querySelectorAll("details.drop[open]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  open().forEach((drop) => {
    const inside = drop.contains(document.activeElement);
    drop.open = false;
    if (inside) drop.querySelector("summary").focus();
  });
});

document.addEventListener("click", (event) => {
  open().forEach((drop) => {
    if (!drop.contains(event.target)) drop.open = false;
  });
});
