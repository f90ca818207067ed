"""People."""

from pydantic import Field, SecretStr, field_validator

from app.domain.user import Role
from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.types import EmailAddress, Text, TimeZone


class UserCreate(WriteSchema):
    email: EmailAddress
    password: SecretStr = Field(min_length=8, max_length=200)
    full_name: Text | None = Field(None, min_length=1, max_length=255, examples=["Ana Díaz"])
    role: Role = Role.RESPONDER
    phone: Text | None = Field(None, max_length=50)
    time_zone: TimeZone = "UTC"


class UserUpdate(WriteSchema):
    """Only the named fields are written."""

    email: EmailAddress | None = None
    password: SecretStr | None = Field(None, min_length=8, max_length=200)
    full_name: Text | None = Field(None, min_length=1, max_length=255)
    role: Role | None = None
    is_active: bool | None = None
    phone: Text | None = Field(None, max_length=50)
    time_zone: TimeZone | None = None

    @field_validator("email", "password", "role", "is_active", "time_zone")
    @classmethod
    def _never_nothing(cls, value: object) -> object:
        if value is None:
            raise ValueError("cannot be null; leave the field out to keep it")
        return value


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
