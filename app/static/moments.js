// Date fields: they show the browser's time zone, and the form sends UTC.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const exact = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric",
  hour: "numeric", minute: "2-digit", timeZoneName: "short",
});

// Return the text of a datetime-local field for a moment, in the browser's time zone.
function localText(moment) {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

// Return the value to send. An unchanged text stays as the server wrote it. For an incomplete date,
// which the browser would send as empty, return a text that the server refuses.
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

// The field keeps its label and shows local time. A hidden field beside it gets its name.
function adopt(field) {
  const written = field.getAttribute("value") ?? "";
  const shown = written && localText(new Date(`${written}Z`));
  const hidden = document.createElement("input");
  hidden.type = "hidden";
  hidden.name = field.name;
  field.removeAttribute("name");
  field.after(hidden);
  if (field.value === written) field.value = shown; // else the browser has restored the user's text
  const update = () => {
    hidden.value = momentOf(field, written, shown);
    explain(field, hidden.value);
  };
  field.addEventListener("input", update);
  field.form.addEventListener("submit", update); // an incomplete date fires no input event
  update();
}

for (const field of document.querySelectorAll("input[data-moment]")) adopt(field);
