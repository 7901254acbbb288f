// Forms that htmx sends: the focus keeps its place, and errors appear beside the fields.
"use strict";

// By form: the id of the focused control, the form's index among its peers, its top in the window.
const places = new WeakMap();
const peers = (form) => [...document.querySelectorAll(form.dataset.peers || "[data-none]")];

function keepPlace(form) {
  const control = form.contains(document.activeElement)
    ? document.activeElement
    : form.querySelector("select");
  const index = peers(form).findIndex((peer) => form.contains(peer));
  places.set(form, { id: control?.id || "none", index, top: form.getBoundingClientRect().top });
}

// Return the control that the form names, else the same control, else the one now in its place.
function successor(form) {
  const { id, index } = places.get(form);
  const others = peers(form);
  return document.getElementById(form.dataset.focus) ?? document.getElementById(id) ??
    others[Math.min(index, others.length - 1)] ?? document.getElementById("quick-title") ??
    document.getElementById("content");
}

// Move a lost focus to the successor, and keep its form at the same place in the window.
function restorePlace(form) {
  const { id, top } = places.get(form);
  const lost = [document.body, document.getElementById("content")]; // a click focuses the content
  let control = document.activeElement;
  if (lost.includes(control)) {
    control = successor(form);
    control.focus({ preventScroll: true });
  } else if (control.id !== id) {
    return; // the user has moved the focus meanwhile
  }
  const moved = control.form ? control.form.getBoundingClientRect().top - top : 0;
  window.scrollBy({ top: moved, behavior: "instant" });
}

// The row or the form that shows the errors of a form.
const placeOf = (form) => form.closest("li") ?? form;

function clearProblems(form) {
  for (const line of placeOf(form).querySelectorAll(".problem")) line.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

function showProblem(form, text, id = "") {
  const line = document.createElement("small");
  line.className = "problem";
  line.role = "alert";
  line.id = id;
  line.textContent = text;
  placeOf(form).append(line);
}

// Mark and focus the visible field of a problem.
function blame(form, problem) {
  const field = form.elements[problem.id.replace("error-", "")];
  if (!field || field.type === "hidden") return;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", problem.id);
  field.focus();
}

// The response is a whole page, an error page or the form again: copy its problems to the form.
function showRefusal(form, answer) {
  const page = new DOMParser().parseFromString(answer.responseText, "text/html");
  const problems = page.querySelectorAll("[data-problem]");
  for (const problem of problems) {
    showProblem(form, problem.textContent.replace(/\s+/g, " ").trim(), problem.id);
    blame(form, problem);
  }
  if (!problems.length) showProblem(form, `The request failed with status ${answer.status}. Try again.`);
}

// A successful response without the target is another page, such as the sign-in page.
function receive(form, detail) {
  const { target, xhr } = detail;
  if (detail.isError) {
    detail.isError = false; // handled: htmx need not log it
    showRefusal(form, xhr);
  } else if (!xhr.responseText.includes(`id="${target.id}"`)) {
    detail.shouldSwap = false;
    window.location.assign(xhr.responseURL);
  }
}

// htmx fires events at `detail.elt`, but a form that was swapped out is no longer in the document.
const on = (name, act) => document.addEventListener(`htmx:${name}`, ({ detail }) => {
  act(detail.requestConfig.elt, detail);
});

on("beforeRequest", (form) => {
  keepPlace(form);
  clearProblems(form);
});
on("beforeSwap", receive);
on("afterRequest", (form, { successful }) => {
  sent.delete(form);
  if (successful) restorePlace(form);
});
on("sendError", (form) => showProblem(form, "The service is not reachable. Try again."));
document.addEventListener("htmx:load", (event) => enhance(event.target));
