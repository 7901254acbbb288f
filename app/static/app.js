// Makes the pages quicker and easier to read. Everything works without it.
"use strict";

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The server writes times in UTC: show them in the browser's time zone, and keep the UTC text.
function localise(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    time.title = time.textContent;
    time.textContent = local.format(new Date(time.dateTime));
    time.removeAttribute("data-local");
  }
}

// A second click must not send a form twice. The buttons stay enabled: a disabled one loses the
// focus. A form whose answer is a file leaves the page as it is, and may be sent again.
let sent = new WeakSet();

function sendOnce(event) {
  if ("download" in event.target.dataset) return;
  if (sent.has(event.target)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  sent.add(event.target);
}

function tell(text) {
  const line = document.createElement("p");
  line.className = "flash error";
  line.textContent = text;
  document.getElementById("flash").replaceChildren(line);
}

// Show what needs a script, and hide what replaces it without one.
function enhance(root) {
  localise(root);
  for (const piece of root.querySelectorAll("[data-scripted]")) piece.hidden = false;
  for (const piece of root.querySelectorAll("[data-scripted-not]")) piece.hidden = true;
  for (const tile of root.querySelectorAll("[data-tile]")) tile.draggable = true;
}

// Scroll a strip of tabs that is wider than the screen to the current one.
function showCurrentTab() {
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    const strip = tab.parentElement;
    strip.scrollLeft = tab.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
  }
}

function tickAll(event) {
  const form = event.target.dataset.tickAll;
  if (!form) return;
  for (const box of document.querySelectorAll(`input[type=checkbox][form="${form}"]`)) {
    box.checked = event.target.checked;
  }
}

enhance(document);
showCurrentTab();
document.addEventListener("change", tickAll);
document.addEventListener("submit", sendOnce, true);
// The browser keeps the page and comes back to it.
window.addEventListener("pageshow", () => { sent = new WeakSet(); });
