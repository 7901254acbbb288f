"""The product's name and everything that is called after it. A fork changes this file first."""

NAME = "Flagstone"  # for people: pages, mails, authenticator apps, the document
SLUG = "flagstone"  # for programs: metrics, files, the realm of tokens; [a-z][a-z0-9_]*
TOKEN_PREFIX = "fst_"  # noqa: S105 - the start of each token, by which scanners recognise one
TITLE = "Tasks, in order"
DESCRIPTION = f"{NAME} keeps your tasks and those of your team, in the browser and by API."
