// One checkbox for all of a list, and the count on the buttons that act on the chosen ones.
const update = (form) => {
  const boxes = [...form.querySelectorAll("[data-one]")];
  const chosen = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  form.querySelectorAll("[data-chosen]").forEach((button) => {
    button.disabled = chosen === 0;
    const count = button.querySelector("[data-count]");
    if (count) count.textContent = chosen ? ` ${chosen}` : "";
  });
};
const updateAll = () => document.querySelectorAll("[data-selection]").forEach(update);

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-all]")) {
    form.querySelectorAll("[data-one]").forEach((box) => (box.checked = event.target.checked));
  }
  update(form);
});

updateAll();
document.addEventListener("htmx:afterSettle", updateAll);
