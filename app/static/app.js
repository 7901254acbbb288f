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

// A second click must not send a form twice. Released when the page comes back from the cache; the
// page stays where the answer is a file.
function lock(event) {
  if (event.defaultPrevented || "download" in event.target.dataset) return;
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

// What is of use with a script alone comes to light, and what stands in for it goes.
function enhance(root) {
  localise(root);
  for (const piece of root.querySelectorAll("[data-scripted]")) piece.hidden = false;
  for (const piece of root.querySelectorAll("[data-scripted-not]")) piece.hidden = true;
  for (const tile of root.querySelectorAll("[data-tile]")) tile.draggable = true;
}

function tickAll(event) {
  const form = event.target.dataset.tickAll;
  if (!form) return;
  for (const box of document.querySelectorAll(`input[type=checkbox][form="${form}"]`)) {
    box.checked = event.target.checked;
  }
}

// A card of the board that is dropped on a column sends its own form, as its button would.
let dragged = null;
const columnOf = (event) => dragged && event.target.closest?.("[data-column]");

function pickUp(event) {
  dragged = event.target.closest?.("[data-tile]") ?? null;
}

function hover(event) {
  const column = columnOf(event);
  if (column) event.preventDefault();
  for (const other of document.querySelectorAll("[data-column]")) {
    other.classList.toggle("over", other === column);
  }
}

function drop(event) {
  const column = columnOf(event);
  if (!column) return;
  event.preventDefault();
  const form = dragged.querySelector("form");
  if (form.elements.status.value === column.dataset.column) return;
  form.elements.status.value = column.dataset.column;
  form.requestSubmit();
}

function letGo() {
  dragged = null;
  for (const column of document.querySelectorAll("[data-column]")) column.classList.remove("over");
}

enhance(document);
document.addEventListener("change", tickAll);
document.addEventListener("dragstart", pickUp);
document.addEventListener("dragover", hover);
document.addEventListener("drop", drop);
document.addEventListener("dragend", letGo);
document.addEventListener("submit", lock);
window.addEventListener("pageshow", release);
document.addEventListener("htmx:load", (event) => enhance(event.target));
document.addEventListener("htmx:afterRequest", release);
// A refusal has a page of its own: let the browser go there the plain way.
document.addEventListener("htmx:responseError", () => window.location.reload());
document.addEventListener("htmx:sendError", () => tell("The service cannot be reached. Try again."));
