"""The links of the navigation: (endpoint, text) of the pages that resources name."""

from app.models.registry import RESOURCES

Link = tuple[str, str]


def _link(endpoint: str) -> Link:
    """Return the link of an endpoint. Its text is the blueprint: "Users" of admin.users.index."""
    return endpoint, endpoint.split(".")[-2].capitalize()


# Users come first, because every other record belongs to one.
_people_first = sorted(RESOURCES, key=lambda each: each.name != "user")
SITE_LINKS: tuple[Link, ...] = tuple(_link(each.home) for each in RESOURCES if each.home)
ADMIN_LINKS: tuple[Link, ...] = (
    _link("admin.overview.index"),
    *(_link(each.admin) for each in _people_first if each.admin),
    _link("admin.system.index"),
)
