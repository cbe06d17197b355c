// Pairs by the keyboard alone: j and k move, the other keys press the button that names them in data-key.
const pairs = () => [...document.querySelectorAll("[data-pair]")];
const current = () => document.activeElement?.closest?.("[data-pair]");
const writing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox])"));

let busy = false;
// What was pressed while an answer was awaited: the button and the pair that it was meant for.
let waiting = null;
// The pairs that may get the focus next, best first, should the focused one be gone.
let heirs = [];

const move = (step) => {
  const all = pairs();
  const at = all.indexOf(current());
  const next = at < 0 ? all[0] : all[at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
};

const press = (key, pair) => {
  const scope = pair ?? document.querySelector("[data-pairs]");
  if (busy) waiting = { key, id: pair?.dataset.pair };
  else scope?.querySelector(`[data-key="${key}"]:enabled`)?.click();
};

// A key that comes before the next pair has the focus is meant for that one.
const decide = (key) => {
  if (current()) press(key, current());
  else if (busy) waiting = { key, next: true };
};

const undo = () => {
  if (busy) waiting = { undoes: true };
  else document.querySelector("[data-undo]")?.click();
};

const refocus = () => {
  if (document.activeElement !== document.body) return;
  const byId = new Map(pairs().map((pair) => [pair.dataset.pair, pair]));
  const heir = heirs.map((id) => byId.get(id)).find(Boolean) ?? pairs()[0];
  (heir ?? document.querySelector("#main")).focus();
};

const KEYS = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  x: () => current()?.querySelector("[data-one]").click(),
  m: () => decide("m"),
  n: () => decide("n"),
  M: () => press("M"),
  N: () => press("N"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "z" && !event.repeat) undo();
  if (!document.querySelector("[data-pairs]")) return;
  // Enter on a checkbox would send the form.
  if (event.key === "Enter" && event.target.matches("[data-one], [data-all]")) event.preventDefault();
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat || "jkArrowDownArrowUp".includes(event.key)) act();
});

document.addEventListener("htmx:beforeRequest", () => (busy = true));
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) busy = false;
});
document.addEventListener("htmx:beforeSwap", () => {
  const all = pairs();
  const at = Math.max(0, all.indexOf(current()));
  heirs = [...all.slice(at), ...all.slice(0, at).reverse()].map((pair) => pair.dataset.pair);
});
document.addEventListener("htmx:afterSettle", () => {
  busy = false;
  refocus();
  // A button that goes with the old toast takes the focus along a moment later.
  setTimeout(refocus, 50);
  const { key, id, next, undoes } = waiting ?? {};
  waiting = null;
  if (undoes) undo();
  const meant = next ? current() : pairs().find((pair) => pair.dataset.pair === id);
  if (key && (meant || !(id || next))) press(key, meant);
});
