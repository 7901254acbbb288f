"""The product's name and everything that is called after it; `make rename` changes it."""

# For people: pages, mails, authenticator apps, the OpenAPI document.
NAME = "Flagstone"
# For programs: metrics, cookies, files, the realm of tokens; [a-z][a-z0-9_]*
SLUG = "flagstone"
# The start of each token, by which scanners recognise one.
TOKEN_PREFIX = "fst_"  # noqa: S105
TITLE = "Tasks, in order"
DESCRIPTION = f"{NAME} keeps your tasks and those of your team, in the browser and by API."
