// Buttons to copy and print recovery codes. The download link works without a script.
"use strict";

async function copy(button) {
  const lines = [...document.querySelectorAll(`${button.dataset.copy} li`)];
  try {
    await navigator.clipboard.writeText(lines.map((line) => line.textContent.trim()).join("\n"));
    button.textContent = "Copied";
  } catch {
    button.textContent = "This browser does not allow copying";
  }
}

document.querySelector("[data-copy]").addEventListener("click", ({ target }) => copy(target));
document.querySelector("[data-print]").addEventListener("click", () => window.print());
