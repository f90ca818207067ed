"""Statements that are put together once for each shape, and from then on only filled in.

To put a statement of a list together takes SQLAlchemy longer than PostgreSQL to answer it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Select, TextClause, bindparam
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.types import TypeEngine

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Prepared:
    """A statement as the driver takes it: `$1` is the first of `names`."""

    text: str
    names: tuple[str, ...]
    known: Mapping[str, Any]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What fills it in: what was given for the blanks, and what was written in it."""
        return [given[name] if name in given else self.known[name] for name in self.names]


def blank(name: str, kind: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A place in a statement that is filled in later."""
    return bindparam(name, None, type_=kind)


def prepare(statement: Select[Any] | TextClause) -> Prepared:
    """A statement with its blanks, ready to be sent."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return Prepared(str(compiled), tuple(compiled.positiontup or ()), compiled.params)
