// A part that could not be fetched says so and can be tried again; the page stays as it was.
import { tell } from "./toast.js";

document.addEventListener("htmx:sendError", () => {
  tell("The server cannot be reached. What you see is as it was before.");
});

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  tell(
    status === 429 || status === 503
      ? "The server is busy. Try again in a moment."
      : "This did not work. Reload the page and try again.",
  );
});
