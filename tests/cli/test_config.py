"""Settings: wrong values are refused, all in one error."""

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

import config
from config import SettingsError

SECRET = "b2f1e0d3c4a596877869504132abcdef0123456789"
PRODUCTION = {
    "APP_ENV": "production",
    "SECRET_KEY": SECRET,
    "DATABASE_URL": "postgresql://owner@db/service",
}


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the generated secret."""
    folder = tmp_path / "instance"
    monkeypatch.setattr(config, "INSTANCE", folder)
    return folder


def load(**environ: str) -> dict[str, Any]:
    return config.load({"SECRET_KEY": SECRET, **environ})


def faults(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        config.load(environ)
    return caught.value.faults


def test_an_empty_environment_will_do(instance: Path) -> None:
    settings = config.load({})
    assert settings["APP_ENV"] == "development"
    assert settings["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{instance / 'service.db'}"


def test_production_with_what_it_needs_will_do() -> None:
    assert config.load(PRODUCTION)["APP_ENV"] == "production"


def test_database_of_an_earlier_release_stays_in_use(instance: Path) -> None:
    instance.mkdir()
    earlier = instance / "flagstone.db"
    earlier.touch()
    assert config.load({})["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{earlier}"


def test_secret_that_nobody_gave_is_made_once_and_kept_to_ourselves(instance: Path) -> None:
    first, second = config.load({})["SECRET_KEY"], config.load({})["SECRET_KEY"]
    assert first == second
    assert len(first) == 64
    assert stat.S_IMODE((instance / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in instance.iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("secret", "wrong"),
    [
        ("", "is missing"),
        ("   ", "is missing"),
        ("x9" * 15 + "y", "is shorter than 32 bytes"),
        ("change-me-" * 5 + "0123456789", 'is a known sample (it has "change-me" in it)'),
        ("Your-Secret-key-0123456789-0123456789", 'is a known sample (it has "secret" in it)'),
        ("a" * 40, "has no more than 1 different character"),
        ("k3" * 32, "has no more than 2 different characters"),
        ("abcdefg" * 20, "has no more than 7 different characters"),
    ],
)
def test_weak_secret_is_refused_in_production(secret: str, wrong: str) -> None:
    (fault,) = faults(**{**PRODUCTION, "SECRET_KEY": secret})
    assert fault.startswith(f"SECRET_KEY {wrong}: set 32 random bytes")


def test_sqlite_is_refused_in_production_unless_allowed(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "DATABASE_URL": f"sqlite:///{tmp_path / 'service.db'}"}
    (fault,) = faults(**environ)
    assert fault.startswith("DATABASE_URL is SQLite in production: ")
    assert config.load({**environ, "ALLOW_SQLITE": "1"})


@pytest.mark.parametrize("url", ["", "sqlite:///mine.db"])
def test_folder_of_the_database_is_made_though_the_secret_needs_none(
    instance: Path, url: str
) -> None:
    load(DATABASE_URL=url)
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700


def test_any_other_folder_of_a_database_is_not_made(tmp_path: Path) -> None:
    (fault,) = faults(SECRET_KEY=SECRET, DATABASE_URL=f"sqlite:///{tmp_path / 'none' / 'x.db'}")
    assert fault == f"DATABASE_URL names no folder that is there ({tmp_path / 'none'}): make it."


def test_database_that_nobody_named_is_refused_in_production() -> None:
    (fault,) = faults(APP_ENV="production", SECRET_KEY=SECRET)
    assert fault.startswith("DATABASE_URL ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "staging"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://db"),
        ("DATABASE_URL", "postgresql://x:port/y"),
        ("DATABASE_POOL_SIZE", "0"),
        ("WEB_THREADS", "many"),
        ("WEB_WORKER_CLASS", "sync"),
        ("WEB_THREADS", "\u0663"),
        ("WEB_THREADS", "9" * 5000),
        ("PUBLIC_URL", "example.org"),
        ("PUBLIC_URL", "https://example.org/tasks"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("PUBLIC_URL", "http://[x"),
        ("PUBLIC_URL", "http://h:99999"),
        ("PUBLIC_URL", "http://h:0"),
        ("PUBLIC_URL", "http://u:p@h"),
        ("PUBLIC_URL", "https://example.org#x"),
        ("PUBLIC_URL", "https://exam ple.org"),
        ("TRUSTED_HOSTS", "example.org:8080"),
        ("TRUSTED_HOSTS", "https://example.org"),
        ("TRUSTED_HOSTS", "[::1"),
        ("PROXY_HOPS", "-1"),
        ("REGISTRATION", "maybe"),
        ("REQUIRE_IF_MATCH", "yes"),
        ("PASSWORD_MIN_LENGTH", "4"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("PORT", "0"),
        ("REDIS_URL", "memcached://x"),
        ("REDIS_URL", "redis://[x"),
        ("REDIS_URL", "redis://h:99999"),
        ("RATELIMIT_DEFAULT", "often"),
        ("CORS_ORIGINS", "https://good.example,*"),
        ("CORS_ORIGINS", "https://good.example:99999"),
    ],
)
def test_bad_value_is_a_fault_that_names_the_setting(name: str, value: str) -> None:
    told = faults(SECRET_KEY=SECRET, **{name: value})
    assert len(told) == 1
    assert told[0].startswith(f"{name} ")


def test_every_fault_is_told_at_once_on_a_line_of_its_own() -> None:
    with pytest.raises(SettingsError) as caught:
        config.load({"APP_ENV": "production", "LOG_FORMAT": "xml", "PROXY_HOPS": "x"})
    names = [line.split(" ")[0] for line in str(caught.value).splitlines()]
    assert sorted(names) == ["DATABASE_URL", "LOG_FORMAT", "PROXY_HOPS", "SECRET_KEY"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_is_read(scheme: str) -> None:
    url = load(DATABASE_URL=f"{scheme}://ann:p%40ss@db:5433/main")["SQLALCHEMY_DATABASE_URI"]
    assert url == "postgresql+psycopg2://ann:p%40ss@db:5433/main"
    assert make_url(url).get_driver_name() == "psycopg2"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL"])
def test_secret_is_read_from_the_file_that_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{PRODUCTION[name]}\n", encoding="utf-8")
    environ = {key: value for key, value in PRODUCTION.items() if key != name}
    assert config.load({**environ, f"{name}_FILE": str(path)}) == config.load(PRODUCTION)


def test_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    told = faults(APP_ENV="testing", SECRET_KEY_FILE=str(tmp_path / "none"))
    assert [fault.split(" ")[0] for fault in told] == ["SECRET_KEY_FILE"]


def test_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"\xff\xfe\x00")
    told = faults(APP_ENV="testing", SECRET_KEY_FILE=str(path))
    assert told[0].startswith("SECRET_KEY_FILE cannot be read")


def test_value_beside_a_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET, encoding="utf-8")
    told = faults(SECRET_KEY=SECRET, SECRET_KEY_FILE=str(path))
    assert told == ["SECRET_KEY is set beside SECRET_KEY_FILE: keep one of the two."]


def test_no_fault_tells_a_secret() -> None:
    password = "hunter2-of-the-database"
    told = faults(
        SECRET_KEY="short-secret",
        DATABASE_URL=f"mysql://x:{password}@db/y",
        PUBLIC_URL=f"https://x:{password}@example.org",
        REDIS_URL=f"redis://x:{password}@cache:port",
    )
    assert len(told) == 4
    assert password not in " ".join(told)


def test_cookies_follow_the_public_url() -> None:
    plain, secure = load(), load(PUBLIC_URL="https://tasks.example.org/")
    assert (plain["SESSION_COOKIE_SECURE"], secure["SESSION_COOKIE_SECURE"]) == (False, True)
    assert secure["PUBLIC_URL"] == "https://tasks.example.org"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("HTTPS://Example.org", "https://example.org"),
        ("https://example.org:443/", "https://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000"),
    ],
)
def test_origins_are_kept_as_a_browser_spells_them(given: str, kept: str) -> None:
    settings = load(PUBLIC_URL=given, CORS_ORIGINS=given)
    assert (settings["PUBLIC_URL"], settings["CORS_ORIGINS"]) == (kept, {kept})
    assert settings["HTTPS"] == kept.startswith("https:")


def test_known_hosts_are_loopback_the_public_one_and_the_trusted() -> None:
    settings = load(
        PUBLIC_URL="https://Tasks.example.org:8443", TRUSTED_HOSTS="A.example, b.example"
    )
    assert settings["KNOWN_HOSTS"] == {
        "localhost",
        "127.0.0.1",
        "[::1]",
        "tasks.example.org",
        "a.example",
        "b.example",
    }


def test_public_host_may_be_an_ipv6_address() -> None:
    assert "[2001:db8::1]" in load(PUBLIC_URL="http://[2001:db8::1]:8000")["KNOWN_HOSTS"]


def test_pool_has_a_connection_for_each_thread() -> None:
    assert load(WEB_THREADS="12")["DATABASE_POOL_SIZE"] == 12
    assert load(WEB_THREADS="12", DATABASE_POOL_SIZE="3")["DATABASE_POOL_SIZE"] == 3


@pytest.mark.parametrize(
    ("given", "contact"),
    [
        ("", ""),
        ("security@example.org", "mailto:security@example.org"),
        ("mailto:security@example.org", "mailto:security@example.org"),
        ("https://example.org/security", "https://example.org/security"),
    ],
)
def test_contact_becomes_a_uri(given: str, contact: str) -> None:
    assert load(SECURITY_CONTACT=given)["SECURITY_CONTACT"] == contact


@pytest.mark.parametrize("given", ["example.org", "http://example.org", "a b@c", "https://x y"])
def test_contact_that_is_none_is_refused(given: str) -> None:
    assert "SECURITY_CONTACT" in faults(SECURITY_CONTACT=given)[0]
