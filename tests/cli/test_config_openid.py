"""Settings of the OpenID providers."""

from pathlib import Path

import pytest

from tests.cli.test_config import faults, instance, load

__all__ = ["instance"]
OIDC = {
    "OIDC_ISSUER": "https://id.example.org/realms/staff",
    "OIDC_CLIENT_ID": "service",
    "OIDC_CLIENT_SECRET": "of the client",
}


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.example.org",
        "https://id.example.org/realms/a/",
        "http://localhost:8080/realms/a",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
    ],
)
def test_openid_provider_is_kept_as_it_calls_itself(issuer: str) -> None:
    (client,) = load(**{**OIDC, "OIDC_ISSUER": issuer})["OIDC_PROVIDERS"]
    assert (client.key, client.issuer, client.name) == ("", issuer, "OpenID")


@pytest.mark.parametrize(
    "issuer",
    [
        "id.example.org",
        "http://id.example.org",
        "https://id.example.org/?realm=a",
        "https://id.example.org/#a",
        "https://user:pass@id.example.org",
        "https://id.example.org/a b",
        "ftp://localhost",
        "https://" + "x" * 250,
    ],
)
def test_issuer_that_no_provider_may_have_is_refused(issuer: str) -> None:
    (fault,) = faults(**{**OIDC, "OIDC_ISSUER": issuer})
    assert fault.startswith("OIDC_ISSUER is ")
    assert "user:pass" not in fault


@pytest.mark.parametrize("missing", OIDC)
def test_openid_is_set_up_whole_or_not_at_all(missing: str) -> None:
    given = {name: value for name, value in OIDC.items() if name != missing}
    assert faults(**given) == [f"{missing} is missing: set it beside the other OIDC_ settings."]


SEVERAL = {
    "OIDC_PROVIDERS": "google, Staff",
    "OIDC_GOOGLE_ISSUER": "https://accounts.google.com",
    "OIDC_GOOGLE_CLIENT_ID": "of-google",
    "OIDC_GOOGLE_CLIENT_SECRET": "secret-of-google",
    "OIDC_STAFF_ISSUER": "https://id.example.org/realms/staff",
    "OIDC_STAFF_CLIENT_ID": "service",
    "OIDC_STAFF_CLIENT_SECRET": "secret-of-staff",
    "OIDC_STAFF_NAME": "Example & Co",
}


def test_several_openid_providers_are_read_in_their_order() -> None:
    google, staff = load(**SEVERAL)["OIDC_PROVIDERS"]
    assert (google.key, google.name, google.client_secret) == (
        "google",
        "Google",
        "secret-of-google",
    )
    assert (staff.key, staff.name, staff.issuer) == (
        "staff",
        "Example & Co",
        "https://id.example.org/realms/staff",
    )


def test_provider_without_a_name_comes_before_those_with_one() -> None:
    given = {**OIDC, **SEVERAL, "OIDC_ISSUER": "https://other.example.org"}
    assert [client.key for client in load(**given)["OIDC_PROVIDERS"]] == ["", "google", "staff"]


def test_secret_of_each_provider_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kept in a file\n")
    given = {n: v for n, v in SEVERAL.items() if n != "OIDC_STAFF_CLIENT_SECRET"}
    given["OIDC_STAFF_CLIENT_SECRET_FILE"] = str(tmp_path / "secret")
    assert load(**given)["OIDC_PROVIDERS"][1].client_secret == "kept in a file"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"OIDC_STAFF_CLIENT_SECRET": ""},
            "OIDC_STAFF_CLIENT_SECRET is missing: set it, or take staff out of OIDC_PROVIDERS.",
        ),
        (
            {"OIDC_PROVIDERS": "google,staff,my-own"},
            "OIDC_PROVIDERS has 'my-own': set names of letters and digits, as google,staff.",
        ),
        (
            {"OIDC_PROVIDERS": "google,staff,google"},
            "OIDC_PROVIDERS gives the name google to two providers: make them different.",
        ),
        (
            {"OIDC_STAFF_ISSUER": "https://accounts.google.com"},
            "OIDC_PROVIDERS gives the issuer https://accounts.google.com to two providers:"
            " make them different.",
        ),
        (
            {"OIDC_STAFF_NAME": "google"},
            "OIDC_PROVIDERS gives the button google to two providers: make them different.",
        ),
        (
            {"OIDC_STAFF_ISSUER": "http://id.example.org"},
            "OIDC_STAFF_ISSUER is 'http://id.example.org': set https and what the provider calls"
            " itself, as https://id.example.org/realms/a.",
        ),
    ],
)
def test_fault_of_one_provider_is_one_line(changes: dict[str, str], line: str) -> None:
    assert faults(**{**SEVERAL, **changes}) == [line]


def test_secret_of_no_provider_is_printed() -> None:
    assert "secret-of" not in repr(load(**SEVERAL)["OIDC_PROVIDERS"])
