"""Where alerts come from, and the answer to those who send them."""

from pydantic import AliasPath, Field

from app.domain.integration import AlertOutcome, IntegrationKind
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, Name, ServiceName, SeverityWord


class IntegrationCreate(WriteSchema):
    name: Name = Field(examples=["Kibana"])
    kind: IntegrationKind = Field(examples=["elastic"])
    service: ServiceName | None = Field(
        None, description="For alerts that name no service.", examples=["checkout"]
    )
    default_severity: SeverityWord = Field(
        "high", validate_default=True, description="For alerts that name no severity."
    )


class IntegrationUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = None
    service: ServiceName | None = None
    default_severity: SeverityWord | None = None
    is_active: Flag | None = None

    _kept = not_null("name", "default_severity", "is_active")


class KeyRead(ReadSchema):
    id: int
    hint: str = Field(description="How the key begins.", examples=["tik_4fXq"])
    created_at: Instant
    revoked_at: Instant | None


class IntegrationRead(ReadSchema):
    id: int
    name: str
    kind: IntegrationKind
    service: str | None
    default_severity: SeverityWord
    is_active: bool
    keys: list[KeyRead]
    revision: int
    created_at: Instant
    updated_at: Instant


class IntegrationCreated(IntegrationRead):
    key: str = Field(description="Shown this once.", examples=["tik_4fXq…"])


class KeyCreated(KeyRead):
    key: str = Field(description="Shown this once.", examples=["tik_4fXq…"])


class AlertReceipt(ReadSchema):
    """What became of one alert."""

    id: int = Field(validation_alias="alert_id", examples=[31])
    outcome: AlertOutcome
    incident_id: int | None = Field(examples=[12])
    dedup_key: str = Field(
        validation_alias=AliasPath("signal", "dedup_key"), examples=["disk-full:db1"]
    )
    reason: str | None = Field(description="Why it could not be read.", examples=[None])


class Received(ReadSchema):
    alerts: list[AlertReceipt]
