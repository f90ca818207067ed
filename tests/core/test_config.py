"""What an operator may set, and how a wrong setting is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.core.errors import SetupError
from app.core.load import load_settings

SECRET = "a secret of thirty-two characters or more"


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)


def complaint(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    """What is said of a setting that cannot be."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SetupError) as refused:
        load_settings()
    return str(refused.value)


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database_url is None
    assert settings.secret_key is None
    assert settings.smtp_url is None
    assert settings.data_dir is None
    assert settings.access_token_life == timedelta(hours=1)
    assert settings.safety_tick == timedelta(seconds=5)
    assert settings.refresh_token_life == timedelta(days=30)
    assert settings.page_window == timedelta(minutes=10)
    assert settings.allowed_origins == []
    assert not settings.is_production


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATA_DIR", "/var/lib/tocsin")
    monkeypatch.setenv("TOCSIN_SECRET_KEY", SECRET)
    monkeypatch.setenv("TOCSIN_SAFETY_TICK_SECONDS", "0.5")
    settings = load_settings()
    assert settings.data_dir == Path("/var/lib/tocsin")
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == SECRET
    assert settings.safety_tick == timedelta(seconds=0.5)


@pytest.mark.parametrize("prefix", ["", "TOCSIN_"])
def test_the_common_names_work_with_and_without_the_prefix(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setenv(f"{prefix}DATABASE_URL", "postgresql://h/db")
    monkeypatch.setenv(f"{prefix}HOST", "0.0.0.0")
    monkeypatch.setenv(f"{prefix}PORT", "9000")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://h/db"
    assert (settings.host, settings.port) == ("0.0.0.0", 9000)


def test_the_name_with_the_prefix_stands_above_the_bare_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("TOCSIN_PORT", "9001")
    assert load_settings().port == 9001


@pytest.mark.parametrize("name", ["PORT", "TOCSIN_PORT"])
def test_what_the_command_line_says_stands_above_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "9000")
    assert load_settings(port=9001).port == 9001


def test_port_0_asks_for_any_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "0")
    assert load_settings().port == 0


def test_no_other_setting_is_read_without_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("LOG_LEVEL", "debug")
    settings = load_settings()
    assert (settings.secret_key, settings.log_level) == (None, "info")


# --- Empty ones -------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize(
    "name",
    [
        *("HOST", "PORT", "TOCSIN_DATA_DIR", "TOCSIN_PUBLIC_URL", "TOCSIN_SECRET_KEY"),
        *("TOCSIN_SMTP_URL", "TOCSIN_FIRST_ADMIN_PASSWORD", "TOCSIN_LOG_LEVEL"),
        *("TOCSIN_MAIL_FROM", "TOCSIN_FALLBACK_EMAIL", "TOCSIN_WEBHOOK_SECRET"),
        *("TOCSIN_ENVIRONMENT", "TOCSIN_SIGNUP", "TOCSIN_LOG_FORMAT", "TOCSIN_CORS_ORIGINS"),
        *("TOCSIN_SMS_GATEWAY_URL", "TOCSIN_TWILIO_API_URL", "TOCSIN_TRUSTED_PROXIES"),
    ],
)
def test_an_empty_setting_is_like_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    untouched = load_settings()
    monkeypatch.setenv(name, value)
    assert load_settings() == untouched


def test_an_empty_database_url_never_starts_a_database_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == ""


# --- Wrong ones -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("TOCSIN_PORT", "http", "Input should be a valid integer"),
        ("TOCSIN_PORT", "70000", "Input should be less than or equal to 65535"),
        ("TOCSIN_SECRET_KEY", "hunter2", "String should have at least 32 characters"),
        ("TOCSIN_FIRST_ADMIN_PASSWORD", "hunter2", "String should have at least 8 characters"),
        ("TOCSIN_ACCESS_TOKEN_MINUTES", "0", "Input should be greater than or equal to 1"),
        ("TOCSIN_ACCESS_TOKEN_MINUTES", "1441", "Input should be less than or equal to 1440"),
        ("TOCSIN_PASSWORD_ROUNDS", "3", "Input should be greater than or equal to 4"),
        ("TOCSIN_DATABASE_POOL", "1", "Input should be greater than or equal to 2"),
        ("TOCSIN_SAFETY_TICK_SECONDS", "nan", "Input should be"),
        ("TOCSIN_SAFETY_TICK_SECONDS", "0", "Input should be greater than 0"),
        ("TOCSIN_LOG_LEVEL", "loud", "Input should be 'debug', 'info', 'warning' or 'error'"),
        ("TOCSIN_LOG_FORMAT", "xml", "Input should be 'console' or 'json'"),
        ("TOCSIN_PUBLIC_URL", "tocsin", "must be a web address such as https://"),
        ("TOCSIN_ENVIRONMENT", "staging", "Input should be 'development' or 'production'"),
        ("TOCSIN_SIGNUP", "maybe", "Input should be 'open' or 'closed'"),
        ("TOCSIN_SIGNUP_ROLE", "admin", "Input should be 'viewer' or 'responder'"),
        ("TOCSIN_REFRESH_TOKEN_DAYS", "366", "Input should be less than or equal to 365"),
        ("TOCSIN_LOGIN_FAILURES_PER_ACCOUNT", "0", "Input should be greater than or equal to 1"),
        ("TOCSIN_LOGIN_FAILURES_PER_ADDRESS", "10001", "Input should be less than or equal to"),
        ("TOCSIN_PAGE_LIMIT", "0", "Input should be greater than or equal to 1"),
        ("TOCSIN_PAGE_WINDOW_MINUTES", "nan", "Input should be"),
        ("TOCSIN_PAGE_WINDOW_MINUTES", "1441", "Input should be less than or equal to 1440"),
        ("TOCSIN_TRUSTED_PROXIES", "proxy.example.org", "must list addresses and networks such"),
        ("TOCSIN_CORS_ORIGINS", "console.example.org", "must list origins such as https://"),
        ("TOCSIN_SMS_GATEWAY_URL", "sms:hunter2", "must be a web address such as https://"),
        ("TOCSIN_SMS_GATEWAY_STATUS_URL", "hunter2", "must be a web address such as https://"),
        ("TOCSIN_TWILIO_API_URL", "https://u:hunter2@h", "must be a web address such as https://"),
        ("TOCSIN_PUSH_CONTACT", "http://h", "must be an address such as mailto:"),
    ],
)
def test_a_wrong_setting_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    said = complaint(monkeypatch, name, value)
    assert said.startswith(f"The setting {name} is wrong: {why}")
    assert said.endswith(".")
    assert "hunter2" not in said


def test_a_bare_name_that_is_wrong_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaint(monkeypatch, "PORT", "http").startswith("The setting TOCSIN_PORT is wrong: ")


@pytest.mark.parametrize(
    "name",
    [
        *("DATABASE_URL", "TOCSIN_SMTP_URL", "TOCSIN_SECRET_KEY", "TOCSIN_WEBHOOK_SECRET"),
        *("TOCSIN_SMS_GATEWAY_URL", "TOCSIN_SMS_GATEWAY_TOKEN", "TOCSIN_TWILIO_AUTH_TOKEN"),
    ],
)
def test_a_secret_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    said = complaint(monkeypatch, name, "hunter2\udcff" * 8)  # as Python reads the byte FF
    assert "holds bytes that are no UTF-8" in said
    assert "hunter2" not in said


def test_no_secret_shows_when_the_settings_are_printed() -> None:
    settings = load_settings(
        database_url="postgresql://u:hunter2@h/db",
        smtp_url="smtp://u:hunter2@h",
        webhook_secret="hunter2",
        first_admin_password="hunter22",
        secret_key="hunter2" * 5,
        sms_gateway_url="https://u:hunter2@sms.example.org/send?key=hunter2",
        sms_gateway_status_url="https://sms.example.org/hunter2/{id}",
        sms_gateway_token="hunter2",
    )
    assert "hunter2" not in repr(settings) + str(settings) + str(settings.model_dump())
    assert settings.sms_gateway_url is not None
    assert "hunter2" in settings.sms_gateway_url.get_secret_value()


def test_a_complaint_hides_where_it_came_from() -> None:
    with pytest.raises(SetupError) as refused:
        load_settings(secret_key="hunter2")
    assert refused.value.__suppress_context__


def test_words_are_taken_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("TOCSIN_LOG_FORMAT", " JSON")
    monkeypatch.setenv("TOCSIN_SIGNUP", "Closed")
    settings = load_settings()
    assert (settings.log_level, settings.log_format) == ("warning", "json")
    assert not settings.signup_is_open


# --- Where people reach us ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://tocsin.example.org", "https://tocsin.example.org"),
        ("https://tocsin.example.org/", "https://tocsin.example.org"),
        ("https://example.org/ops/tocsin//", "https://example.org/ops/tocsin"),
        (" http://localhost:8000\n", "http://localhost:8000"),
        ("HTTPS://tocsin.example.org", "https://tocsin.example.org"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_public_url_has_no_slash_at_its_end(url: str, kept: str) -> None:
    assert load_settings(public_url=url).public_url == kept


@pytest.mark.parametrize(
    "url",
    [
        *("tocsin.example.org", "//tocsin.example.org", "https://", "https:///x", "http://:8000"),
        *("ftp://example.org", "javascript:alert(1)", "https://example.org?x=1"),
        *("https://example.org#x", "https://u:hunter2@example.org", "https://exa mple.org"),
        *("https://example.org:port", "https://example.org:0", "https://[::1", "http://a\x00b"),
    ],
)
def test_a_public_url_is_a_whole_web_address(url: str) -> None:
    with pytest.raises(SetupError, match=r"^The setting TOCSIN_PUBLIC_URL is wrong: ") as refused:
        load_settings(public_url=url)
    assert "hunter2" not in str(refused.value)
