// Makes the pages quicker. Everything works without it.
"use strict";

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// Times are written in UTC: show them in the reader's zone, and keep the UTC text at hand.
function localise(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    time.title = time.textContent;
    time.textContent = local.format(new Date(time.dateTime));
    time.removeAttribute("data-local");
  }
}

// A second click must not send a form twice. Released when the page comes back from the cache.
function lock(event) {
  if (event.defaultPrevented) return;
  for (const button of event.target.querySelectorAll("button[type=submit]")) {
    setTimeout(() => { button.disabled = true; });
  }
}

function release() {
  for (const button of document.querySelectorAll("button[type=submit]:disabled")) {
    button.disabled = false;
  }
}

function tell(text) {
  const line = document.createElement("p");
  line.className = "flash error";
  line.textContent = text;
  document.getElementById("flash").replaceChildren(line);
}

localise(document);
document.addEventListener("submit", lock);
window.addEventListener("pageshow", release);
document.addEventListener("htmx:load", (event) => localise(event.target));
document.addEventListener("htmx:afterRequest", release);
// A refusal has a page of its own: let the browser go there the plain way.
document.addEventListener("htmx:responseError", () => window.location.reload());
document.addEventListener("htmx:sendError", () => tell("The service cannot be reached. Try again."));
