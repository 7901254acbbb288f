"""The settings of `make docs`, which builds the site with Sphinx and MyST.

The source folder is the root of the repository, so that each link works on the site as it does
beside the code.
"""

from pathlib import Path
from runpy import run_path

APP = Path(__file__).parents[1] / "app"  # not imported: the app's requirements are not installed

project = run_path(str(APP / "product.py"))["NAME"]
version = release = run_path(str(APP / "version.py"))["VERSION"]
html_title = f"{project} {version}"

extensions = ["myst_parser"]
myst_heading_anchors = 4  # an anchor for each heading, as code hosts make it
nitpicky = True

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "examples/*/README.md", "clients/README.md"]
exclude_patterns = [".*", "app", "bench", "docs/.*", "instance", "migrations", "tests", "tools"]

html_theme = "furo"
html_extra_path = ["site", "../llms.txt"]  # site/index.html leads from / to the first page
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
