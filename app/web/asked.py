"""What forms and addresses ask for in words: numbers, choices, times on somebody's own clock.

In an address whatever makes no sense asks for nothing; in a form it is left as it was typed, so
that the shape it is for says what is wrong with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Request

from app.api.state import Service
from app.core.errors import ForbiddenError, TocsinError
from app.core.paging import BIGGEST_KEY
from app.db.session import ReadSession
from app.services import team as team_service
from app.web import forms
from app.web.deps import Visitor
from app.web.forms import FormFault

Kind = TypeVar("Kind", bound=StrEnum)

REFUSED = (FormFault, TocsinError)
LONGEST_SEARCH = 100


class Named(Protocol):
    """Whatever has a number and a name."""

    @property
    def id(self) -> Any: ...
    @property
    def name(self) -> Any: ...


def told(fault: FormFault | TocsinError) -> dict[str, str]:
    """What is wrong, at each field; of the form as a whole at none."""
    return fault.errors if isinstance(fault, FormFault) else forms.faults_of(fault)


def number(word: str | None) -> int | None:
    """The id that a word names, if it is one."""
    text = (word or "").strip()
    is_key = text.isascii() and text.isdigit() and len(text) <= 16
    return int(text) if is_key and 1 <= int(text) <= BIGGEST_KEY else None


def typed_number(word: str | None) -> int | str | None:
    """A number as it was typed: none, a whole one, or whatever else it is."""
    text = (word or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 16:
        return int(text)
    return text or None


def among(words: Iterable[str], kind: type[Kind]) -> tuple[Kind, ...]:
    """Those of the words that are of this kind."""
    known = set(kind)
    return tuple(kind(word) for word in dict.fromkeys(words) if word in known)


def search(word: str) -> str | None:
    """What is looked for; None where nothing is."""
    return word.replace("\x00", "").strip()[:LONGEST_SEARCH] or None


def moment(text: str | None, zone_name: str) -> str | None:
    """A time of a form's field, which is on this clock, as the API has it."""
    typed = (text or "").strip()
    if not typed:
        return None
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        return typed
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(zone_name))
    return found.isoformat()


def instant(text: str, zone_name: str) -> datetime | None:
    """A time that an address asks for, on this clock; None for whatever is none."""
    try:
        return datetime.fromisoformat(moment(text, zone_name) or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def on_clock(when: datetime | None, zone_name: str) -> str:
    """A time as a form's field has it."""
    if when is None:
        return ""
    return when.astimezone(ZoneInfo(zone_name)).strftime("%Y-%m-%dT%H:%M")


def offers(
    rows: Sequence[Named], chosen: object = None, nothing: str | None = None
) -> list[tuple[str, str]]:
    """These to choose from. What is chosen already stays, even if it is not among them."""
    found = [(str(row.id), str(row.name)) for row in rows]
    word = "" if chosen in (None, "") else str(chosen)
    if word and word not in {key for key, _ in found}:
        found.append((word, f"#{word}"))
    return found if nothing is None else [("", nothing), *found]


def names(rows: Iterable[Named]) -> dict[int, str]:
    return {row.id: row.name for row in rows}


def texts(given: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    """The named fields; an empty one is null, and one that the form does not have is absent."""
    return {name: given[name].strip() or None for name in fields if name in given}


def own_address(service: Service, request: Request) -> str:
    """Where others reach us, as far as anybody has said."""
    return (service.settings.public_url or str(request.base_url)).rstrip("/")


async def leads(session: ReadSession, visitor: Visitor, team_id: int | None) -> bool:
    """Whether whoever looks may look after what this team owns."""
    if visitor.may_administer or not visitor.may_respond:
        return visitor.may_administer
    try:
        await team_service.require_lead(session, visitor.user, [team_id])
    except ForbiddenError:
        return False
    return True
