// A quick look opens at the side as soon as it is there; closing it gives the focus back by itself.
document.addEventListener("htmx:afterSwap", (event) => {
  const drawer = event.detail.target.closest?.("dialog.drawer");
  if (drawer && !drawer.open) drawer.showModal();
});
