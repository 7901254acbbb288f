// Drag and drop on the board: a task that is dropped on a column sends its form, like its button.
"use strict";

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

document.addEventListener("dragstart", pickUp);
document.addEventListener("dragover", hover);
document.addEventListener("drop", drop);
document.addEventListener("dragend", letGo);
