"""API keys on the wire."""

from typing import Annotated

from pydantic import Field

from app.domain.user import Permission
from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.types import Name

Scopes = Annotated[list[Permission], Field(min_length=1, max_length=10)]


class ApiKeyCreate(WriteSchema):
    name: Name = Field(examples=["deploy bot"], description="What it is for, to tell keys apart.")
    scopes: Scopes = Field(
        description="What it may do, of what your role may: `read`; `respond`, which includes"
        " `read`; `administer`, which includes both.",
        examples=[["respond"]],
    )
    expires_at: Instant | None = Field(
        None, description="When it ends by itself; null: never.", examples=["2099-01-01T00:00:00Z"]
    )


class ApiKeyRead(ReadSchema):
    id: int
    user_id: int = Field(description="Whose it is, and as whom it acts.")
    name: str
    hint: str = Field(description="How the key begins.", examples=["toc_4fXq"])
    scopes: list[Permission] = Field(examples=[["read", "respond"]])
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None = Field(description="To the minute.")
    revoked_at: Instant | None


class ApiKeyCreated(ApiKeyRead):
    key: str = Field(description="Shown this once.", examples=["toc_4fXq…"])
