"""Checks before the night: what would let a page reach nobody, found while there is time. Pure.

Each check takes what is set up and yields findings: what the hole is, what closes it, and where.
A finding is the same from night to night as long as its code and place are, whatever its words.
"""

from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """How bad it is, the worst first."""

    CRITICAL = "critical"  # somebody who should be paged is not
    WARNING = "warning"  # it may come to that
    NOTE = "note"  # it is of no use as it is


@dataclass(frozen=True)
class Finding:
    """One hole: what it is, what closes it, and where."""

    code: str
    place: str
    severity: Gravity
    message: str
    fix: str
    link: str
