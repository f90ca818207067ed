"""People."""

from pydantic import Field

from app.domain.user import Role
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import EmailAddress, Flag, LongName, Password, Phone, TimeZone


class UserCreate(WriteSchema):
    email: EmailAddress
    password: Password
    full_name: LongName | None = Field(None, examples=["Ana Díaz"])
    role: Role = Role.RESPONDER
    phone: Phone | None = None
    time_zone: TimeZone = "UTC"


class UserUpdate(WriteSchema):
    """Only the named fields are written."""

    email: EmailAddress | None = None
    password: Password | None = None
    full_name: LongName | None = None
    role: Role | None = None
    is_active: Flag | None = None
    phone: Phone | None = None
    time_zone: TimeZone | None = None

    _kept = not_null("email", "password", "role", "is_active", "time_zone")


class MeUpdate(WriteSchema):
    """What people change about themselves. Only the named fields are written."""

    full_name: LongName | None = Field(None, examples=["Ana Díaz"])
    phone: Phone | None = None
    time_zone: TimeZone | None = None

    _kept = not_null("time_zone")


class UserRead(ReadSchema):
    id: int
    email: str
    full_name: str | None
    role: Role
    is_active: bool
    is_superuser: bool = Field(description="Whether the role is admin.")
    phone: str | None
    time_zone: str
    revision: int
    created_at: Instant
    updated_at: Instant
