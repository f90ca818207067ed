"""The audit log on the wire."""

from typing import Any

from pydantic import Field

from app.domain.audit_log import ActorKind
from app.schemas.base import Instant, ReadSchema


class ChangeRead(ReadSchema):
    before: Any = Field(description="Null where there was nothing.", examples=["open"])
    after: Any = Field(
        description="Null where there is nothing now; `(secret)` for what is never told.",
        examples=["acknowledged"],
    )


class AuditEntryRead(ReadSchema):
    id: int
    created_at: Instant
    actor_kind: ActorKind
    actor: str | None = Field(description="Their name at that time.", examples=["Ana"])
    user_id: int | None
    api_key_id: int | None = Field(description="The key that was brought, if one was.")
    action: str = Field(examples=["incident.acknowledged"])
    resource_type: str = Field(examples=["incident"])
    resource_id: str | None = Field(examples=["12"])
    changes: dict[str, ChangeRead] = Field(
        description="By field.", examples=[{"status": {"before": "open", "after": "acknowledged"}}]
    )
    address: str | None = Field(description="The client's address.", examples=["192.0.2.7"])
    request_id: str | None = Field(examples=["01K9ZQ8W7N3T5R0Y2V4X6A8C1E"])
    user_agent: str | None = Field(examples=["curl/8.5.0"])
