"""Settings: the only place that reads the environment. Typed, and refused when unsafe.

Names are `TOCSIN_…`; `DATABASE_URL`, `REDIS_URL`, `HOST` and `PORT` also work without the
prefix. An empty one counts as not set, because that is how compose files pass on what nobody
set; only an empty DATABASE_URL is refused, lest a forgotten secret start a database of its own.

A description is one sentence; docs/configuration.md begins with the same, and a test holds
the two together.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    Secret,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core import addresses
from app.domain import rate
from app.domain.audit_log import KEPT_AT_LEAST
from app.domain.storm import ServiceLimit

Word = TypeVar("Word", bound=str)


def _bare(name: str) -> AliasChoices:
    return AliasChoices(f"TOCSIN_{name}", name)


def _secretly(check: Callable[[str], str]) -> AfterValidator:
    """The check, of a text that nobody shall see."""
    return AfterValidator(lambda secret: SecretStr(check(secret.get_secret_value())))


def _by_environment(development: Word, production: Word) -> Callable[[dict[str, Any]], Word]:
    """What a setting is when it is not set, depending on where this runs."""

    def choose(chosen: Mapping[str, Any]) -> Word:
        return production if chosen.get("environment") == "production" else development

    return choose


def _forever_or_a_month(days: int) -> int:
    if days != 0 and days < KEPT_AT_LEAST.days:
        raise ValueError(f"must be {KEPT_AT_LEAST.days} or more, or 0 for good")
    return days


WebAddress = Annotated[str, AfterValidator(addresses.web_address)]
SecretAddress = Annotated[SecretStr, _secretly(addresses.callable_address)]
StoreAddress = Annotated[SecretStr, _secretly(addresses.shared_store)]
WrittenRate = Annotated[str, AfterValidator(rate.checked)]


class Settings(BaseSettings):
    """Everything an operator may choose."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", extra="ignore", populate_by_name=True)

    environment: Literal["development", "production"] = Field(
        "development", description="In `production`, Tocsin refuses to start with unsafe settings."
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias=_bare("DATABASE_URL"),
        description="The PostgreSQL (15 or newer) to use; without it Tocsin runs its own.",
    )
    database_pool: int = Field(
        10,
        ge=2,
        le=200,
        description="The most database connections that requests of one process share.",
    )
    redis_url: StoreAddress | None = Field(
        None,
        validation_alias=_bare("REDIS_URL"),
        description="The Redis or Valkey through which replicas count rate limits together.",
    )
    data_dir: Path | None = Field(
        None, description="The folder of the embedded database, the outbox and the secret key."
    )
    host: str = Field(
        "127.0.0.1", validation_alias=_bare("HOST"), description="The address to listen on."
    )
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        validation_alias=_bare("PORT"),
        description="The port to listen on; `0` takes any free one.",
    )
    public_url: WebAddress | None = Field(
        None, description="Where people reach this service; links in messages begin with it."
    )
    trusted_proxies: Annotated[str, AfterValidator(addresses.proxies)] = Field(
        "", description="The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count."
    )
    cors_origins: Annotated[str, AfterValidator(addresses.origins)] = Field(
        "", description="The web origins whose scripts may call the API from a browser."
    )
    max_body_bytes: int = Field(
        1_000_000, ge=1_000, description="The largest request of a monitoring tool that is read."
    )

    rate_limit_writes: WrittenRate = Field(
        "100/minute", description="How many requests that change something one caller may send."
    )
    rate_limit_reads: WrittenRate = Field(
        "1000/minute", description="How many requests that only read one caller may send."
    )
    rate_limit_logins: WrittenRate = Field(
        "60/minute", description="How often one address may try to log in, sign up or the like."
    )
    rate_limit_ingest: WrittenRate = Field(
        "0", description="How many requests one integration key may bring to one process."
    )

    secret_key: Secret[Annotated[str, StringConstraints(min_length=32)]] | None = Field(
        None, description="Signs tokens and links; all replicas need the same."
    )
    access_token_minutes: int = Field(
        60, ge=1, le=60 * 24, description="How long an access token is good."
    )
    refresh_token_days: int = Field(
        30, ge=1, le=365, description="How long a login lasts that nobody uses."
    )
    password_rounds: int = Field(
        12, ge=4, le=16, description="The cost of a password hash; one more doubles it."
    )
    login_failures_per_account: int = Field(
        10, ge=1, le=1_000, description="Wrong passwords for one account before it has to wait."
    )
    login_failures_per_address: int = Field(
        50, ge=1, le=10_000, description="Wrong passwords from one address before it has to wait."
    )
    signup: Literal["open", "closed"] = Field(
        default_factory=_by_environment("open", "closed"),
        description="Whether people may make accounts for themselves.",
    )
    signup_role: Literal["viewer", "responder"] = Field(
        "viewer", description="The role of an account that somebody made for themselves."
    )
    first_admin_email: str | None = Field(
        None, description="The mail address of the first admin, made at the first start."
    )
    first_admin_password: Secret[Annotated[str, StringConstraints(min_length=8)]] | None = Field(
        None, description="The password of the first admin."
    )

    smtp_url: SecretStr | None = Field(
        None, description="The mail server; without it pages are kept in the outbox folder."
    )
    mail_from: str = Field(
        "Tocsin <tocsin@localhost>", description="The sender of all mail, and where bounces go."
    )
    smtp_backup_url: SecretStr | None = Field(
        None, description="A second mail server, used while the first does not answer."
    )
    webhook_secret: SecretStr | None = Field(
        None, description="Signs webhook calls, so that their reader knows who called."
    )
    webhook_overlap_hours: int = Field(
        24, ge=0, le=24 * 30, description="How long a subscription’s old secret signs, too."
    )
    allow_private_targets: str = Field(
        "", description="The networks that webhooks may reach although they are private."
    )
    sms_gateway_url: SecretAddress | None = Field(
        None, description="Where to POST an SMS, for any gateway that speaks HTTP."
    )
    sms_gateway_token: SecretStr | None = Field(
        None, description="Sent to the gateway as `Authorization: Bearer`."
    )
    sms_gateway_body: str | None = Field(
        None, description="The JSON to send to the gateway, with places for number and text."
    )
    sms_gateway_id_field: str = Field(
        "id", description="Where the gateway's answer has the message's id."
    )
    sms_gateway_status_url: SecretAddress | None = Field(
        None, description="Where to ask the gateway what became of a message."
    )
    twilio_account_sid: str | None = Field(None, description="The Twilio account that sends SMS.")
    twilio_auth_token: SecretStr | None = Field(
        None, description="The password of that account, which also signs Twilio's receipts."
    )
    twilio_from: str | None = Field(
        None, description="The number, or the messaging service, that SMS come from."
    )
    twilio_api_url: WebAddress = Field(
        "https://api.twilio.com", description="Where Twilio's API is."
    )
    send_timeout_seconds: float = Field(
        20.0, ge=1, le=120, description="How long one attempt to send a message may take."
    )
    push_contact: Annotated[str, AfterValidator(addresses.contact)] | None = Field(
        None, description="Whom a push service asks when our messages trouble it."
    )

    fallback_email: str | None = Field(
        None, description="The user who is paged when nobody else would be."
    )
    page_limit: int = Field(
        10, ge=1, le=1_000, description="Pages to one person over one channel before bundling."
    )
    page_window_minutes: float = Field(
        10.0, ge=0.1, le=24 * 60, description="The window in which those pages are counted."
    )
    service_limit: int = Field(
        30, ge=0, le=10_000, description="Incidents of one service that page one by one."
    )
    service_window_minutes: float = Field(
        5.0, ge=0.1, le=24 * 60, description="The window in which those incidents are counted."
    )
    raw_bodies_days: int = Field(
        14, ge=1, le=365, description="How long the bodies of alerts are kept as they came."
    )
    calendar_minutes: float = Field(
        15.0, ge=1, le=24 * 60, description="How often calendars at a URL are fetched."
    )
    streams_at_once: int = Field(
        5_000, ge=1, le=100_000, description="How many may listen to one process at once."
    )
    events_kept_days: int = Field(
        7, ge=1, le=365, description="How long the change feed can be read back."
    )
    audit_kept_days: Annotated[int, AfterValidator(_forever_or_a_month)] = Field(
        400, le=36_500, description="How long the audit log is kept; `0` is for good."
    )
    lease_margin_seconds: float = Field(
        15.0, ge=1, le=300, description="How long after its time-out a sender is taken for dead."
    )
    drain_seconds: float = Field(
        20.0, ge=0, le=600, description="How long a process that stops finishes what it sends."
    )
    safety_tick_seconds: float = Field(
        5.0, gt=0, le=60, description="How often the loops are rung in case a ring was lost."
    )

    metrics_token: SecretStr | None = Field(
        None, description="What `/metrics` asks for as `Authorization: Bearer`."
    )
    status_export_dir: Path | None = Field(
        None, description="A folder that always holds the status page as files, or nothing else."
    )
    heartbeat_url: SecretAddress | None = Field(
        None, description="A dead man's switch: called only while the loops really advance."
    )
    heartbeat_seconds: float = Field(
        60.0, ge=1, le=3600, description="How often the heartbeat is sent."
    )

    otlp_endpoint: WebAddress | None = Field(
        None,
        validation_alias=AliasChoices("TOCSIN_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="The OpenTelemetry collector that gets traces, by OTLP over HTTP.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is worth a line in the log."
    )
    log_format: Literal["console", "json"] = Field(
        default_factory=_by_environment("console", "json"),
        description="Lines for people, or one JSON object a line.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _as_given(cls, value: object, about: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds bytes that are no UTF-8") from None
        name = str(about.field_name)
        if value.strip() or name == "database_url":
            return value
        field = cls.model_fields[name]
        return field.get_default(call_default_factory=True, validated_data=about.data)

    @field_validator(
        "environment", "signup", "signup_role", "log_level", "log_format", mode="before"
    )
    @classmethod
    def _in_any_case(cls, word: object) -> object:
        return word.strip().lower() if isinstance(word, str) else word

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def signup_is_open(self) -> bool:
        return self.signup == "open"

    @property
    def allowed_origins(self) -> list[str]:
        return addresses.listed(self.cors_origins)

    @property
    def access_token_life(self) -> timedelta:
        return timedelta(minutes=self.access_token_minutes)

    @property
    def refresh_token_life(self) -> timedelta:
        return timedelta(days=self.refresh_token_days)

    @property
    def page_window(self) -> timedelta:
        return timedelta(minutes=self.page_window_minutes)

    @property
    def storm_limit(self) -> ServiceLimit:
        """How many incidents a storm of a service may open one by one."""
        return ServiceLimit(self.service_limit, timedelta(minutes=self.service_window_minutes))

    @property
    def safety_tick(self) -> timedelta:
        return timedelta(seconds=self.safety_tick_seconds)
