"""What every shape on the wire shares."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, to_jsonable_python

T = TypeVar("T")
REVISION_BYTES = 6  # a number that JavaScript can hold


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _aware(moment: datetime) -> datetime:
    """In UTC; a time that names no zone is taken for UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies beyond the years 1 to 9999 in UTC") from None


Instant = Annotated[
    datetime, AfterValidator(_aware), PlainSerializer(_zulu, return_type=str, when_used="json")
]


class ReadSchema(BaseModel):
    """What goes out."""

    model_config = ConfigDict(from_attributes=True)


class WriteSchema(BaseModel):
    """What comes in: a field nobody knows is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Fields that `not_null` guards are left out or filled, and the document says so."""
        schema = handler(core_schema)
        guard = cls.__pydantic_decorators__.field_validators.get("_kept")
        for name in guard.info.fields if guard else ():
            field = handler.resolve_ref_schema(schema)["properties"][name]
            choices = [choice for choice in field.pop("anyOf") if choice != {"type": "null"}]
            field.update(choices[0] if len(choices) == 1 else {"anyOf": choices})
            field.pop("default")
        return schema


def not_null(*names: str) -> Any:
    """For partial updates: these fields may be left out, but not emptied."""

    def check(value: object) -> object:
        if value is None:
            raise ValueError("cannot be null; leave the field out to keep it")
        return value

    return field_validator(*names)(check)


def revision_of(*edited: object) -> int:
    """The revision of a small thing that counts none: a number that follows from what people edit.

    Two that differ differ in it. What is edited back has its old number again, and nobody's change
    is lost by that.
    """
    told = json.dumps(to_jsonable_python(edited), sort_keys=True).encode()
    return int.from_bytes(hashlib.blake2s(told, digest_size=REVISION_BYTES).digest())


class PageRead(ReadSchema, Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int = Field(description="How many there are in all; counted up to 10,000.")
    total_is_bound: bool = Field(
        description="True when there are more than `total` says.", examples=[False]
    )
    page: int | None = Field(description="The page's number; null when a cursor was used.")
    per_page: int
    next_cursor: str | None = Field(
        description="Pass it as `cursor` for what follows; null at the end."
    )


class FieldErrorRead(ReadSchema):
    path: str = Field(examples=["steps[0].actions[0].type"])
    message: str


class ErrorRead(ReadSchema):
    """Every error, whatever went wrong."""

    code: str = Field(examples=["INCIDENT_NOT_FOUND"])
    message: str = Field(examples=["There is no incident 7."])
    request_id: str | None = Field(examples=["01K9ZQ8W7N3T5R0Y2V4X6A8C1E"])
    details: dict[str, Any] = Field(examples=[{}])
