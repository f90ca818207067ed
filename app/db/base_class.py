"""Declarative base: constraint names Alembic can find again, types Python means."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Enum, Identity, MetaData, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
TEXT_ENUM = Enum(
    StrEnum, native_enum=False, length=50, values_callable=lambda e: [member.value for member in e]
)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's own class attribute
        datetime: DateTime(timezone=True),
        int: BigInteger,
        StrEnum: TEXT_ENUM,
    }


class Keyed:
    """A `bigint` key that the database gives out."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)


class Stamped:
    """When a row came to be and when it last changed."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Revised(Stamped):
    """A row that people edit: every change that shows raises its revision."""

    revision: Mapped[int] = mapped_column(BigInteger, server_default="1")

    def touch(self, now: datetime) -> None:
        """Mark that something shown has changed."""
        self.updated_at = now
        self.revision += 1

    def revise(self, fields: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
        """Write the named fields; those that were other before, with what they were."""
        was = {name: getattr(self, name) for name in fields}
        changed = {name: old for name, old in was.items() if old != fields[name]}
        for name in changed:
            setattr(self, name, fields[name])
        if changed:
            self.touch(now)
        return changed


def one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    """The column holds a member of `kind`, whatever the code believes."""
    members = ", ".join(f"'{member.value}'" for member in kind)
    return CheckConstraint(f"{column} IN ({members})", name=f"{column}_known")
