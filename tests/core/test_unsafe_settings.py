"""What Tocsin refuses to start with: settings that contradict one another anywhere, and in
production whatever would make it unsafe or mute."""

import re
from typing import Any

import pytest

from app.core.config import Settings
from app.core.errors import SetupError
from app.core.load import CONTRADICTIONS, UNSAFE_IN_PRODUCTION, load_settings

DRAWN = "k3F9vQ7mZx2LrT8wBn5JcY1dHs6GpA4eUoKiRzXq"
SAFE: dict[str, Any] = {
    "environment": "production",
    "public_url": "https://tocsin.example.org",
    "database_url": "postgresql://tocsin@db/tocsin",
    "secret_key": DRAWN,
    "smtp_url": "smtp://u:p@mail.example.org",
    "mail_from": "Tocsin <tocsin@example.org>",
}
TWILIO = {"twilio_account_sid": "AC1", "twilio_auth_token": "hunter2", "twilio_from": "+15550100"}
GATEWAY = {"sms_gateway_url": "https://sms.example.org/send"}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)


def refusal(**chosen: object) -> str:
    with pytest.raises(SetupError) as refused:
        load_settings(**chosen)
    return str(refused.value)


def test_a_safe_production_starts() -> None:
    settings = load_settings(**SAFE)
    assert settings.is_production
    assert settings.log_format == "json"
    assert not settings.signup_is_open


def test_production_leaves_the_choice_of_what_is_only_a_default() -> None:
    settings = load_settings(**SAFE, signup="open", log_format="console")
    assert settings.signup_is_open
    assert settings.log_format == "console"


def test_an_empty_setting_is_like_none_in_production_too() -> None:
    assert load_settings(**SAFE, signup="", log_format=" ") == load_settings(**SAFE)


def test_development_starts_with_nothing_and_is_open() -> None:
    settings = load_settings()
    assert settings.signup_is_open
    assert settings.log_format == "console"


UNSAFE: list[tuple[dict[str, Any], str]] = [
    ({"public_url": None}, "TOCSIN_PUBLIC_URL is not set"),
    ({"public_url": "http://tocsin.example.org"}, "TOCSIN_PUBLIC_URL is not https"),
    ({"secret_key": None}, "TOCSIN_SECRET_KEY is not set"),
    ({"secret_key": "a" * 40}, "TOCSIN_SECRET_KEY can be guessed"),
    ({"password_rounds": 9}, "TOCSIN_PASSWORD_ROUNDS is below 10"),
    ({"first_admin_password": "k3F9vQ7mZx2"}, "TOCSIN_FIRST_ADMIN_PASSWORD has fewer than 12"),
    ({"first_admin_password": "Password-2026"}, "TOCSIN_FIRST_ADMIN_PASSWORD is among the first"),
    ({"smtp_url": None}, "TOCSIN_SMTP_URL is not set"),
    ({"smtp_url": None, **TWILIO}, "TOCSIN_SMTP_URL is not set"),
    ({"mail_from": "Tocsin <tocsin@localhost>"}, "TOCSIN_MAIL_FROM is an address of this"),
    ({"mail_from": "tocsin@db1.localdomain"}, "TOCSIN_MAIL_FROM is an address of this machine"),
    ({"cors_origins": "https://a.example,*"}, "TOCSIN_CORS_ORIGINS lets in every website"),
    ({"trusted_proxies": "*"}, "TOCSIN_TRUSTED_PROXIES trusts everybody"),
    ({"trusted_proxies": "10.0.0.1,0.0.0.0/0"}, "TOCSIN_TRUSTED_PROXIES trusts everybody"),
    ({"trusted_proxies": "::/0"}, "TOCSIN_TRUSTED_PROXIES trusts everybody"),
    ({"trusted_proxies": "0.0.0.0/1,128.0.0.0/1"}, "TOCSIN_TRUSTED_PROXIES trusts everybody"),
    ({"allow_private_targets": "0.0.0.0/0"}, "TOCSIN_ALLOW_PRIVATE_TARGETS allows every"),
    ({"allow_private_targets": "10.0.0.0/8 ::/0"}, "TOCSIN_ALLOW_PRIVATE_TARGETS allows every"),
    ({"log_level": "debug"}, "TOCSIN_LOG_LEVEL is debug"),
]


@pytest.mark.parametrize(("change", "said"), UNSAFE)
def test_production_refuses_what_is_unsafe_and_says_what_to_do(
    change: dict[str, Any], said: str
) -> None:
    complaint = refusal(**{**SAFE, **change})
    assert complaint.startswith(said)
    assert "\n" not in complaint
    assert re.search(r"; (set|put|make|list) .+\.$", complaint)


@pytest.mark.parametrize(("change", "said"), UNSAFE)
def test_development_takes_the_same(change: dict[str, Any], said: str) -> None:
    load_settings(**{**SAFE, **change, "environment": "development"})


def test_every_rule_has_a_case() -> None:
    met = {
        sentence
        for change, _ in UNSAFE
        for is_broken, sentence in UNSAFE_IN_PRODUCTION
        if is_broken(Settings(**{**SAFE, **change}))
    }
    assert met == {sentence for _, sentence in UNSAFE_IN_PRODUCTION}


def test_all_that_is_unsafe_is_told_at_once() -> None:
    complaint = refusal(environment="production", password_rounds=4, trusted_proxies="*", **TWILIO)
    lines = complaint.splitlines()
    assert lines[0] == "5 things must change before Tocsin can start:"
    assert [re.findall("TOCSIN_[A-Z_]+", line)[0] for line in lines[1:]] == [
        "TOCSIN_PUBLIC_URL",
        "TOCSIN_PASSWORD_ROUNDS",
        "TOCSIN_SMTP_URL",
        "TOCSIN_MAIL_FROM",
        "TOCSIN_TRUSTED_PROXIES",
    ]


def test_one_replica_with_its_own_database_may_keep_its_own_key() -> None:
    assert load_settings(**{**SAFE, "database_url": None, "secret_key": None}).is_production


def test_a_rule_names_only_settings_that_there_are() -> None:
    known = {f"TOCSIN_{name.upper()}" for name in Settings.model_fields}
    for _, sentence in CONTRADICTIONS + UNSAFE_IN_PRODUCTION:
        assert set(re.findall("TOCSIN_[A-Z_]+", sentence)) <= known
        assert sentence.endswith(".")


def test_no_complaint_repeats_a_secret() -> None:
    complaint = refusal(
        environment="production",
        secret_key="hunter2" * 5,
        first_admin_password="hunter22",
        **GATEWAY,
        **TWILIO,
    )
    assert "hunter2" not in complaint


# --- Contradictions ------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", TWILIO)
def test_twilio_comes_whole_or_not_at_all(left_out: str) -> None:
    partly = {name: value for name, value in TWILIO.items() if name != left_out}
    assert "set all three or none" in refusal(**partly)
    assert "set all three or none" in refusal(**{left_out: TWILIO[left_out]})
    assert load_settings(**TWILIO).twilio_from == "+15550100"


def test_a_second_provider_may_stand_behind_the_first_and_needs_one() -> None:
    assert load_settings(**TWILIO, **GATEWAY).twilio_from == "+15550100"
    first, second = "smtp://mail.example.org", "smtp://backup.example.org"
    assert load_settings(smtp_url=first, smtp_backup_url=second).smtp_backup_url is not None
    assert "set TOCSIN_SMTP_URL, too" in refusal(smtp_backup_url=second)


@pytest.mark.parametrize(
    "alone",
    [
        {"sms_gateway_token": "t"},
        {"sms_gateway_body": "{}"},
        {"sms_gateway_status_url": "https://sms.example.org/{id}"},
    ],
)
def test_a_part_of_a_gateway_is_none(alone: dict[str, str]) -> None:
    assert "set TOCSIN_SMS_GATEWAY_URL, too" in refusal(**alone)
    load_settings(**GATEWAY, **alone)
