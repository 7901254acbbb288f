""".env.example explains exactly the settings that the code reads."""

import re
from pathlib import Path

import pytest

import config

EXAMPLE = (config.ROOT / ".env.example").read_text()
COMPOSE = (config.ROOT / "docker-compose.yml").read_text()
ENTRIES = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
OF_COMPOSE = set(re.findall(r"\$\{(\w+)", COMPOSE))


class Noting(dict[str, str]):
    """An environment that records the names that are read."""

    def __init__(self, **settings: str) -> None:
        super().__init__(settings)
        self.asked: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.asked.add(name.removesuffix("_FILE"))
        return super().get(name, default)


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "INSTANCE", tmp_path)


def test_each_setting_that_is_read_is_explained_and_no_other() -> None:
    environ = Noting(APP_ENV="production", SECRET_KEY="0123456789abcdef" * 2, ALLOW_SQLITE="1")
    config.load(environ)
    assert set(ENTRIES) == environ.asked | OF_COMPOSE


def test_defaults_are_those_that_it_tells() -> None:
    told = {name: value for name, value in ENTRIES.items() if value and name not in OF_COMPOSE}
    assert config.load(told) == config.load({})


def test_only_what_is_required_is_left_to_fill_in() -> None:
    blanks = re.findall(r"^([A-Z_]+)=$", EXAMPLE, re.MULTILINE)
    assert blanks == ["SECRET_KEY", "POSTGRES_PASSWORD"]
    # The service itself requires SECRET_KEY, which a file may hold too.
    assert set(re.findall(r"\$\{(\w+):\?", COMPOSE)) == {"POSTGRES_PASSWORD"}


def test_example_of_several_openid_providers_is_a_valid_one(tmp_path: Path) -> None:
    given = dict(re.findall(r"^#   (OIDC_\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    (tmp_path / "secret").write_text("of the client")
    given["OIDC_STAFF_CLIENT_SECRET_FILE"] = str(tmp_path / "secret")
    google, staff = config.load(given)["OIDC_PROVIDERS"]
    assert (google.name, staff.name) == ("Google", "Example staff")
    assert staff.admin_groups == ("service-admins",)
