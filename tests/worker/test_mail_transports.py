"""Mail transports: real SMTP servers, a folder, the console; and the handling of refusals."""

import stat
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from app.errors import SendingFailed
from app.worker import mail_transports
from app.worker.mail_transports import deliver
from tests.support.mailbox import parse
from tests.support.smtp import certificate, free_port, hanging, post

ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def authorities() -> None:
    """Read the certificate authorities again, as at a worker's start."""
    mail_transports._tls.cache_clear()


@pytest.fixture
def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Service <f@example.org>", ANN
    message["Subject"], message["Message-ID"] = "Plums", "<some-id@localhost>"
    message.set_content("They are ripe.\n")
    return message


def failure(url: str, mail: EmailMessage) -> SendingFailed:
    with pytest.raises(SendingFailed) as caught:
        deliver(url, mail)
    return caught.value


def test_server_takes_a_mail(mail: EmailMessage) -> None:
    with post() as server:
        assert deliver(server.url, mail) == 250
    assert server.mails[0].items()[:3] == mail.items()[:3]
    assert server.mails[0].get_content().strip() == "They are ripe."


@pytest.mark.parametrize("answer", ["550 No such box", "552 Too full"])
def test_permanent_refusal_of_the_recipient_is_final(mail: EmailMessage, answer: str) -> None:
    with post() as server:
        server.answers[ANN] = answer
        error = failure(server.url, mail)
    assert (error.answer, error.final) == (int(answer[:3]), True)
    assert answer[4:] in error.message


@pytest.mark.parametrize(("at", "final"), [(ANN, False), ("DATA", False)])
def test_passing_refusal_is_tried_again(mail: EmailMessage, at: str, final: bool) -> None:
    with post() as server:
        server.answers[at] = "451 Come back later"
        error = failure(server.url, mail)
    assert (error.answer, error.final) == (451, final)


def test_permanent_refusal_of_the_mail_itself_is_final(mail: EmailMessage) -> None:
    with post() as server:
        server.answers["DATA"] = "554 Looks like plums"
        error = failure(server.url, mail)
    assert (error.answer, error.final) == (554, True)


def test_server_that_has_something_against_us_is_tried_again(mail: EmailMessage) -> None:
    """The operator can correct the settings, and no mail is lost until then."""
    with post() as server:
        server.answers["MAIL"] = "530 Who are you?"
        error = failure(server.url, mail)
        with_name = failure(server.url.replace("//", "//ann:p%40ss@"), mail)
    assert (error.answer, error.final) == (530, False)
    assert not with_name.final


def test_name_and_password_of_the_url_are_shown_to_the_server(
    mail: EmailMessage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    shown = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> Any:
        shown.append((data.login, data.password))
        return AuthResult(success=True)

    with post(tls_context=context, authenticator=authenticate, auth_required=True) as server:
        url = server.url.replace("//", "//ann:p%40ss@")
        assert deliver(f"{url}?starttls=1", mail) == 250
    assert shown == [(b"ann", b"p@ss")]


def test_server_that_is_away_is_tried_again(mail: EmailMessage) -> None:
    error = failure(f"smtp://127.0.0.1:{free_port()}", mail)
    assert (error.answer, error.final) == (None, False)


def test_server_that_hangs_is_given_up(mail: EmailMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_transports, "TIMEOUT", 0.2)
    with hanging() as server:
        error = failure(server.url, mail)
    assert (error.answer, error.final) == (None, False)
    assert "timed out" in error.message


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_certificate_has_to_hold(
    mail: EmailMessage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool, scheme: str
) -> None:
    public, context = certificate(tmp_path)
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
    plain = {"tls_context": context, "require_starttls": True}
    options = {"ssl_context": context} if scheme == "smtps" else plain
    with post(**options) as server:
        url = server.url.replace("smtp", scheme) + ("?starttls=1" if scheme == "smtp" else "")
        if known:
            assert deliver(url, mail) == 250
        else:
            assert "CERTIFICATE_VERIFY_FAILED" in failure(url, mail).message
    assert len(server.mails) == int(known)


def test_server_without_tls_gets_nothing_where_it_is_asked_for(mail: EmailMessage) -> None:
    with post() as server:
        error = failure(f"{server.url}?starttls=1", mail)
    assert (server.mails, error.final) == ([], False)


def test_folder_holds_each_mail_once_and_whole(mail: EmailMessage, tmp_path: Path) -> None:
    for _ in range(2):
        assert deliver(f"file:{tmp_path}", mail) is None
    (path,) = tmp_path.iterdir()
    assert path.name == "some-id.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert parse(path.read_bytes())["Subject"] == "Plums"


def test_folder_that_is_gone_is_tried_again(mail: EmailMessage, tmp_path: Path) -> None:
    assert not failure(f"file:{tmp_path / 'none'}", mail).final


def test_console_shows_the_text(mail: EmailMessage, capsys: pytest.CaptureFixture[str]) -> None:
    assert deliver("console:", mail) is None
    assert capsys.readouterr().out == f"To: {ANN}\nSubject: Plums\n\nThey are ripe.\n\n"


def test_without_mail_nothing_is_sent(mail: EmailMessage) -> None:
    assert "MAIL_URL" in failure("", mail).message
