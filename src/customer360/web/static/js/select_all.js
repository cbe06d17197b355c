// One checkbox for all of a table, and the count on the button that acts on the chosen ones.
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

document.querySelectorAll("[data-selection]").forEach((form) => {
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      form.querySelectorAll("[data-one]").forEach((box) => (box.checked = event.target.checked));
    }
    update(form);
  });
  update(form);
});
