// Date fields: a person types and reads the browser's time zone, and the form sends a moment in UTC.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const exact = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric",
  hour: "numeric", minute: "2-digit", timeZoneName: "short",
});

// The text that a datetime-local field has for a moment in the browser's time zone.
function localText(moment) {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

// What the form sends. A text that is not touched stays as the server wrote it; half a date, which
// the browser would send as none, is sent as a text that the server refuses.
function momentOf(field, written, shown) {
  if (field.validity.badInput) return "incomplete";
  if (field.value === shown) return written;
  return field.value && new Date(field.value).toISOString();
}

function explain(field, sent) {
  const hint = document.getElementById(`hint-${field.id}`);
  const moment = new Date(/Z$|^$/.test(sent) ? sent : `${sent}Z`);
  const read = Number.isNaN(moment.getTime()) ? "" : ` ${exact.format(moment)}.`;
  hint.textContent = `In your time zone, ${zone}.${read}`;
}

// The field keeps its label and shows local time; a hidden field beside it takes over its name.
function adopt(field) {
  const written = field.getAttribute("value") ?? "";
  const shown = written && localText(new Date(`${written}Z`));
  const hidden = document.createElement("input");
  hidden.type = "hidden";
  hidden.name = field.name;
  field.removeAttribute("name");
  field.after(hidden);
  if (field.value === written) field.value = shown; // else the browser has restored what was typed
  const update = () => {
    hidden.value = momentOf(field, written, shown);
    explain(field, hidden.value);
  };
  field.addEventListener("input", update);
  field.form.addEventListener("submit", update); // half a date fires no input event
  update();
}

for (const field of document.querySelectorAll("input[data-moment]")) adopt(field);
