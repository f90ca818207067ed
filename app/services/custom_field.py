"""The fields that an installation adds to its incidents: making them, and reading what they hold.

A field's key and type never change, because incidents hold values under them. One that is no
longer wanted is archived: it is not asked for any more, and old values stay and are shown.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_custom_field
from app.db.session import ReadSession, WriteSession
from app.domain import custom_field
from app.domain.conditions import Fault
from app.domain.custom_field import FieldType, Value
from app.models import CustomField

MOST_ACTIVE = 100


class KeyTakenError(ConflictError):
    """The key belongs to another field."""

    code = "CUSTOM_FIELD_KEY_TAKEN"


class TooManyFieldsError(ConflictError):
    """Nobody fills in that many."""

    code = "TOO_MANY_CUSTOM_FIELDS"


# --- Making them ------------------------------------------------------------------------


async def create(session: WriteSession, fields: Mapping[str, Any], *, now: datetime) -> CustomField:
    """A new field, or an archived one of the same key and type brought back."""
    await crud_custom_field.wait_for_other_additions(session)
    former = await crud_custom_field.lock(session, fields["key"])
    if former is not None and former.archived_at is None:
        raise KeyTakenError("There is a field with this key already.", field="key")
    if former is not None and former.type is not fields["type"]:
        raise KeyTakenError(
            f"This key belongs to an archived field of the type {former.type}: make it of that"
            " type again, or take another key.",
            field="type",
            type=former.type.value,
        )
    if len(await crud_custom_field.active(session)) >= MOST_ACTIVE:
        raise TooManyFieldsError(
            f"There are {MOST_ACTIVE} fields already; archive one that nobody needs first."
        )
    if former is None:
        row = CustomField(**fields, created_at=now, updated_at=now)
        return await crud_custom_field.add(session, row)
    former.revise({**fields, "archived_at": None}, now=now)
    return former


async def update(
    session: WriteSession, key: str, fields: Mapping[str, Any], *, now: datetime
) -> CustomField:
    """Write the named fields. An option that goes stays where it was chosen."""
    row = await _held(session, key)
    if "options" in fields and not row.type.is_choice:
        raise InvalidInputError(
            f"Only a select or multi_select has options; “{key}” is a {row.type}.",
            field="options",
        )
    row.revise(fields, now=now)
    return row


async def archive(session: WriteSession, key: str, *, now: datetime) -> None:
    """Ask for a field no longer; one that is archived already stays as it is."""
    row = await _held(session, key)
    if row.archived_at is None:
        row.revise({"archived_at": now}, now=now)


async def _held(session: WriteSession, key: str) -> CustomField:
    row = await crud_custom_field.lock(session, key)
    if row is None:
        raise NotFoundError("custom field", key)
    return row


# --- What incidents hold in them --------------------------------------------------------


async def merged(
    session: ReadSession, current: Mapping[str, Value], given: Mapping[str, Any]
) -> dict[str, Value]:
    """What an incident's fields hold once those that are given are written; None removes one.

    What stays as it was is not looked at, so that an option which is gone by now may stay.
    """
    if not given:
        return dict(current)
    known = {field.key: field for field in await crud_custom_field.active(session)}
    values = dict(current)
    faults: list[Fault] = []
    for key, value in given.items():
        path = f"custom_fields.{key}"
        if key not in known:
            faults.append(Fault(path, f"is no field; known are: {_listed(known)}"))
        elif value is None:
            values.pop(key, None)
        elif not custom_field.is_same(current.get(key), value):
            try:
                values[key] = custom_field.read_value(known[key].type, known[key].options, value)
            except ValueError as error:
                faults.append(Fault(path, str(error)))
    if faults:
        raise _refused(faults)
    return values


async def sought(session: ReadSession, given: Iterable[str]) -> list[list[dict[str, Value]]]:
    """What `key:value` filters ask for: of each list, an incident holds one thing at least."""
    wanted: dict[str, list[dict[str, Value]]] = {}
    kinds: dict[str, FieldType] = {}
    for text in given:
        kinds = kinds or {field.key: field.type for field in await crud_custom_field.every(session)}
        key, _, value = text.partition(":")
        if not value.strip():
            raise _refused([Fault("custom_field", "must look like key:value")])
        if key not in kinds:
            message = f"“{key}” is no field; known are: {_listed(kinds)}"
            raise _refused([Fault("custom_field", message)])
        try:
            read = custom_field.read_query(kinds[key], value)
        except ValueError as error:
            raise _refused([Fault("custom_field", f"{key} {error}")]) from None
        wanted.setdefault(key, []).append({key: read})
    return list(wanted.values())


def _refused(faults: list[Fault]) -> InvalidInputError:
    return InvalidInputError(
        f"{faults[0].path}: {faults[0].message}.",
        field=faults[0].path,
        errors=[{"path": fault.path, "message": fault.message} for fault in faults],
    )


def _listed(known: Iterable[str]) -> str:
    return ", ".join(known) or "none yet"
