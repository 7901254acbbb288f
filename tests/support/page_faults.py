"""The faults of a page in a browser: of accessibility and of layout."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# By default axe turns off a rule of WCAG 2.2.
RUN = "axe.run({resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})"
# The page if it scrolls sideways, and each element with overflowing content, which is cut off or
# covers another element. Content may be wider if the element scrolls, ends in an ellipsis or is
# visible to screen readers alone. Then the link to the current page if a strip of tabs hides it.
OVERFLOWS = """() => {
  const hidden = (element) =>
    element && (element.clientWidth === 1 || hidden(element.parentElement));
  const passes = (element, style) =>
    element.scrollWidth <= element.clientWidth + 1 || element.clientWidth === 0 ||
    ["auto", "scroll"].includes(style.overflowX) || style.textOverflow === "ellipsis" ||
    hidden(element) || element.matches("input, select, textarea, option, svg, svg *");
  const left = [...document.body.querySelectorAll("*")]
    .filter((element) => !passes(element, getComputedStyle(element)))
    .map((element) => `content leaves ${element.cloneNode(false).outerHTML}`);
  const root = document.scrollingElement;
  if (root.scrollWidth > root.clientWidth) left.push(`scrolls sideways to ${root.scrollWidth} px`);
  for (const link of document.querySelectorAll("nav [aria-current]")) {
    const place = link.getBoundingClientRect();
    if (place.width && (place.left < 0 || place.right > root.clientWidth + 1)) {
      left.push(`out of sight: ${link.outerHTML}`);
    }
  }
  return [...new Set(left)];
}"""


def faults(page: Page, url: str = "") -> list[str]:
    """Return faults of the page at `url`, by default of the open page, each with its address."""
    if url:
        page.goto(url)
    page.add_script_tag(path=AXE)
    violations = page.evaluate(RUN)["violations"]
    found = [f"{each['id']}: {each['nodes'][0]['html']}" for each in violations]
    return [f"{page.url}: {fault}" for fault in found] + overflows(page)


def overflows(page: Page) -> list[str]:
    """Return faults of the open page's layout. Also works without JavaScript."""
    return [f"{page.url}: {fault}" for fault in page.evaluate(OVERFLOWS)]
