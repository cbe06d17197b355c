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

// In a menu the arrows go from action to action, and from the button to the first one.
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !step) return;
  event.preventDefault();
  const actions = [...menu.querySelectorAll(".drop-panel :is(a, button)")];
  const at = actions.indexOf(document.activeElement);
  actions[at < 0 ? 0 : (at + step + actions.length) % actions.length]?.focus();
});
