"""Settings: the only place that reads the environment. Typed, and refused when unsafe.

Names are `TOCSIN_…`; `DATABASE_URL`, `HOST` and `PORT` also work without the prefix. An empty
one counts as not set, because that is how compose files pass on what nobody set; only an
empty DATABASE_URL is refused, lest a forgotten secret start a database of its own.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    Secret,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.errors import SetupError


def _bare(name: str) -> AliasChoices:
    return AliasChoices(f"TOCSIN_{name}", name)


class Settings(BaseSettings):
    """Everything an operator may choose."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", extra="ignore", populate_by_name=True)

    database_url: SecretStr | None = Field(None, validation_alias=_bare("DATABASE_URL"))
    data_dir: Path | None = None
    host: str = Field("127.0.0.1", validation_alias=_bare("HOST"))
    port: int = Field(8000, ge=0, le=65535, validation_alias=_bare("PORT"))
    public_url: str | None = None  # where people reach this service; links in pages begin with it

    secret_key: Secret[Annotated[str, StringConstraints(min_length=32)]] | None = None
    access_token_minutes: int = Field(60, ge=1, le=60 * 24)
    password_rounds: int = Field(12, ge=4, le=16)

    first_admin_email: str | None = None
    first_admin_password: Secret[Annotated[str, StringConstraints(min_length=8)]] | None = None

    smtp_url: SecretStr | None = None
    mail_from: str = "Tocsin <tocsin@localhost>"
    webhook_secret: SecretStr | None = None
    allow_private_targets: str = ""

    fallback_email: str | None = None  # who is paged when nobody else would be; else the admins
    max_body_bytes: int = Field(1_000_000, ge=1_000)
    database_pool: int = Field(10, ge=2, le=200)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    safety_tick_seconds: float = Field(5.0, gt=0, le=60)

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
        return cls.model_fields[name].default

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _in_any_case(cls, word: object) -> object:
        return word.lower() if isinstance(word, str) else word

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url.strip())
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        is_plain = parts.geturl().isprintable() and not re.search(r"[\s?#@]", parts.geturl())
        if not is_whole or not is_plain:
            raise ValueError("must be a web address such as https://tocsin.example.org")
        return parts.geturl().rstrip("/")

    @property
    def access_token_life(self) -> timedelta:
        return timedelta(minutes=self.access_token_minutes)

    @property
    def safety_tick(self) -> timedelta:
        return timedelta(seconds=self.safety_tick_seconds)


def load_settings(**overrides: object) -> Settings:
    """The settings of this process, or a SetupError naming the setting that is wrong."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # keyword overrides by name
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]).upper()
        name = name if name.startswith("TOCSIN_") else f"TOCSIN_{name}"
        why = str(first["msg"]).removeprefix("Value error, ")
        raise SetupError(f"The setting {name} is wrong: {why}.") from None
