"""Fields that an installation adds to its incidents, on the wire."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from app.domain.custom_field import KEY_FORM, FieldType
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import LongText, Name

FieldKey = Annotated[str, Field(pattern=KEY_FORM, examples=["customers_affected"])]


def _distinct(options: list[str]) -> list[str]:
    if len(set(options)) < len(options):
        raise ValueError("names an option twice")
    return options


Options = Annotated[
    list[Name],
    Field(max_length=100, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
Position = Annotated[int, Field(ge=0, le=10_000)]


class CustomFieldCreate(WriteSchema):
    key: FieldKey = Field(
        description="Its name for programs; small letters, digits and underscores. Never changes."
    )
    label: Name = Field(description="Its name for people.", examples=["Customers affected"])
    type: FieldType = Field(description="Never changes.", examples=["number"])
    options: Options = Field([], description="What may be chosen; of a select or multi_select.")
    description: LongText | None = None
    position: Position = Field(0, description="Where it stands among the others; smallest first.")

    @model_validator(mode="after")
    def _options_of_a_choice(self) -> "CustomFieldCreate":
        if self.type.is_choice and not self.options:
            raise ValueError(f"a {self.type} needs `options` to choose from")
        if self.options and not self.type.is_choice:
            raise ValueError("only a select or multi_select has `options`")
        return self


class CustomFieldUpdate(WriteSchema):
    """Only the named fields are written. An option that goes stays where it was chosen."""

    label: Name | None = Field(None, examples=["Customers affected"])
    options: Options | None = Field(None, min_length=1)
    description: LongText | None = None
    position: Position | None = None

    _kept = not_null("label", "options", "position")


class CustomFieldRead(ReadSchema):
    key: str
    label: str
    type: FieldType
    options: list[str]
    description: str | None
    position: int
    archived_at: Instant | None = Field(description="Since when it is no longer asked for.")
    revision: int
    created_at: Instant
    updated_at: Instant
