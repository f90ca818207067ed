"""The fields that an installation adds to its incidents."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.custom_field import FieldType


class CustomField(Keyed, Revised, Base):
    """One typed field. Its key and type never change: incidents hold values under them."""

    __tablename__ = "custom_fields"
    __table_args__ = (
        one_of("type", FieldType),
        CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,49}$'", name="key_plain"),
        CheckConstraint(
            "(type IN ('select', 'multi_select')) = (cardinality(options) > 0)",
            name="options_of_a_choice",
        ),
    )

    key: Mapped[str] = mapped_column(String(50), unique=True)
    label: Mapped[str] = mapped_column(String(100))
    type: Mapped[FieldType]
    options: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    description: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(server_default="0")
    archived_at: Mapped[datetime | None]  # no longer asked for; old values stay
