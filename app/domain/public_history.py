"""The months of the public history. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Self

from app.domain.public_page import IncidentPicture, MaintenancePicture

_NAME = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_OLDEST, _NEWEST = 1970, 9000


@dataclass(frozen=True, order=True)
class MonthName:
    """A month as `2026-11`; the later one is the greater."""

    year: int
    month: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The month of this name; None if it is no name of one."""
        found = _NAME.fullmatch(text)
        if found is None or not _OLDEST <= int(found[1]) <= _NEWEST:
            return None
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    def next(self) -> "MonthName":
        return MonthName(self.year + self.month // 12, self.month % 12 + 1)

    def before(self) -> "MonthName":
        return MonthName(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True)
class MonthPicture:
    """What began in a month, newest first, and which months are beside it."""

    name: MonthName
    incidents: tuple[IncidentPicture, ...]
    maintenances: tuple[MaintenancePicture, ...]
    earlier: MonthName | None
    later: MonthName | None

    @property
    def first(self) -> date:
        return self.name.first
