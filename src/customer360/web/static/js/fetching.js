// A part that is being fetched says so; one that could not be fetched stays as it was and can be asked for again.
import { tell, untell } from "./toast.js";

const RELOAD = { label: "Reload", act: () => location.reload() };
// These say nothing against asking the same again.
const PASSING = [429, 500, 502, 503, 504];

const retry = ({ elt, requestConfig }) => ({
  label: "Retry",
  // Should it fail again, the events below tell of it.
  act: () => htmx.ajax(requestConfig.verb, requestConfig.path, { source: elt }).catch(() => {}),
});

const busy = ({ detail }) => detail.target?.setAttribute("aria-busy", "true");
const done = ({ detail }) => {
  detail.target?.removeAttribute("aria-busy");
  // Some parts ask again by themselves.
  if (detail.successful) untell();
};

document.addEventListener("htmx:beforeRequest", busy);
document.addEventListener("htmx:afterRequest", done);

document.addEventListener("htmx:sendError", ({ detail }) => {
  tell("The server cannot be reached. What you see is as it was before.", retry(detail));
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  const status = detail.xhr.status;
  if (status === 429 || status === 503) tell("The server is busy. Try again in a moment.", retry(detail));
  else if (PASSING.includes(status)) tell("The server failed. What you see is as it was before.", retry(detail));
  else tell("This did not work: the page is older than what it shows.", RELOAD);
});
