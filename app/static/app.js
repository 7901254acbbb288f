// Improvements of the pages. All pages work without this script.
"use strict";

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// Show times in the browser's time zone, and keep the server's UTC text as the title.
function localise(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    time.title = time.textContent;
    time.textContent = local.format(new Date(time.dateTime));
    time.removeAttribute("data-local");
  }
}

// Prevent a second click from sending a form twice. The buttons stay enabled, because a disabled
// button loses the focus. A form that downloads a file keeps the page and can be sent again.
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

// Show elements that need a script, and hide their replacements.
function enhance(root) {
  localise(root);
  for (const piece of root.querySelectorAll("[data-scripted]")) piece.hidden = false;
  for (const piece of root.querySelectorAll("[data-scripted-not]")) piece.hidden = true;
  for (const tile of root.querySelectorAll("[data-tile]")) tile.draggable = true;
}

// Scroll the tabs to the current tab if they are wider than the screen.
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
// The browser can restore the page from its back/forward cache.
window.addEventListener("pageshow", () => { sent = new WeakSet(); });
