"""TOCSIN_SMTP_URL, read once at the start."""

import pytest

from app.channels.email import SmtpServer, StartTls, parse_smtp_url
from app.core.errors import SetupError


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 25)),
        ("smtp://mail.example:2525/", SmtpServer("mail.example", 2525)),
        ("smtps://mail.example", SmtpServer("mail.example", 465, is_tls=True)),
        ("smtp://[::1]:26", SmtpServer("::1", 26)),
        ("  SMTP://mail.example:26\n", SmtpServer("mail.example", 26)),
        ("smtp://u:p@mail.example", SmtpServer("mail.example", 587, "u", "p")),
        (
            "smtp://a%40b.example:p%2F%23%3A%C3%BC@mail.example:587?starttls=required",
            SmtpServer("mail.example", 587, "a@b.example", "p/#:ü", starttls=StartTls.REQUIRED),
        ),
        ("smtp://mail.example?starttls=off", SmtpServer("mail.example", 25, starttls=StartTls.OFF)),
        ("smtps://u:p@mail.example?starttls=auto", SmtpServer("mail.example", 465, "u", "p", True)),
    ],
)
def test_a_url_is_a_server(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example:25",
        "http://u:s3cret@mail.example",
        "smtp://",
        "smtp://u:s3cret@",
        "smtp://u:s3cret@mail.example:0",
        "smtp://u:s3cret@mail.example:99999",
        "smtp://u:s3cret@mail.example:port",
        "smtp://u:s3cret#x@mail.example",
        "smtp://u:s3cret?x@mail.example",
        "smtp://u:s3cret/x@mail.example",
        "smtp://u:s3cret[x@mail.example",
        "smtp://u:s3cret%00x@mail.example",
        "smtp://u:s3cret@mail.example/path",
        "smtp://u:s3cret@mail.example?starttls=perhaps",
        "smtp://u:s3cret@mail.example?tls=yes",
        "smtp://u:s3cret@mail.example?starttls",
        "smtp://u:s3cret@mail..example",
        "smtps://u:s3cret@mail.example?starttls=required",
        "smtp://only-a-user@mail.example",
        "smtp://:s3cret@mail.example",
    ],
)
def test_a_bad_url_is_one_sentence_without_the_password(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_smtp_url(url)
    message = str(caught.value)
    assert message.startswith("TOCSIN_SMTP_URL ")
    assert message.endswith(".")
    assert "s3cret" not in message
    assert "\n" not in message


def test_a_server_never_shows_its_password() -> None:
    assert "s3cret" not in repr(parse_smtp_url("smtp://u:s3cret@mail.example"))
