"""Files of subscribers: checked at the door, kept line by line, taken in by a loop.

Each batch is one transaction: its subscribers, what became of its lines and the counts of the
file commit together. Whatever is killed meanwhile, the next one goes on with the next line, and
the digest of an address, which is in the table once, sees to it that nobody is added twice.
"""

import codecs
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.errors import InvalidInputError, NotFoundError
from app.crud import crud_subscriber, crud_subscriber_delivery, crud_subscriber_import
from app.crud.crud_subscriber import Scopes
from app.crud.crud_subscriber_import import Settled
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.notification import Channel
from app.domain.subscriber import Address, SubscriberOrigin
from app.domain.subscriber_import import (
    LARGEST_FILE,
    MOST_LINES,
    FileFaultError,
    ImportState,
    LineFaultError,
    LineOutcome,
    Wanted,
    lines_of,
    read_line,
)
from app.models import SubscriberImport, SubscriberImportLine, User
from app.services import subscriber as subscriber_service
from app.services.subscriber import DELIVERY
from app.services.subscriber_keys import Keys, Wishes, new_row
from app.services.target import InvalidAddressError, Objection

IMPORTS = "subscriber_imports"  # the loop that takes files in
KEPT_AT_ONCE = 1_000  # lines written in one statement


class SubscriberFileError(InvalidInputError):
    """The file cannot be read at all."""

    code = "SUBSCRIBER_FILE_UNREADABLE"


async def start(
    session: WriteSession,
    name: str,
    content: bytes,
    *,
    have_agreed: bool,
    by: User,
    now: datetime,
) -> SubscriberImport:
    """Keep the lines of a file, for the loop to take in. A file that is none is refused at once."""
    if len(content) > LARGEST_FILE:
        raise SubscriberFileError(
            f"The file is larger than {LARGEST_FILE:,} bytes; split it.", field="file"
        )
    lines: list[tuple[int, str]] = []
    for number, said in _lines(content):
        if len(lines) == MOST_LINES:
            raise SubscriberFileError(
                f"The file has more than {MOST_LINES:,} lines; split it.", field="file"
            )
        lines.append((number, json.dumps(said)))
    if not lines:
        raise SubscriberFileError(
            "The file names no subscriber: below the line of columns each line is one.",
            field="file",
        )
    made = await crud_subscriber_import.add(
        session,
        SubscriberImport(
            name=name,
            have_agreed=have_agreed,
            lines=len(lines),
            created_by=by.id,
            created_at=now,
            updated_at=now,
        ),
    )
    for first in range(0, len(lines), KEPT_AT_ONCE):
        batch = lines[first : first + KEPT_AT_ONCE]
        await crud_subscriber_import.add_lines(session, made.id, batch)
    wake_after_commit(session, IMPORTS)
    return made


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""
    try:
        text = content.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError:
        raise SubscriberFileError(
            "The file is not in UTF-8; save it as CSV in UTF-8.", field="file"
        ) from None
    if "\x00" in text:
        raise SubscriberFileError("The file holds NUL, which no text does.", field="file")
    try:
        yield from lines_of(text.splitlines(keepends=True))
    except FileFaultError as fault:
        raise SubscriberFileError(str(fault), field="file") from None


async def require(session: ReadSession, import_id: int) -> SubscriberImport:
    found = await crud_subscriber_import.get(session, import_id)
    if found is None:
        raise NotFoundError("subscriber import", import_id)
    return found


# --- Taken in ---------------------------------------------------------------------------


async def take_in(
    session: WriteSession,
    keys: Keys,
    objection: Objection,
    *,
    unconfigured: Collection[Channel],
    limit: int,
    now: datetime,
) -> int | None:
    """Take in the next lines of the oldest file; how many. None if none waits that is free."""
    file = await crud_subscriber_import.lock_running(session)
    if file is None:
        return None
    lines = await crud_subscriber_import.waiting(session, file.id, limit=limit)
    settled = await _settle(
        session, file, lines, keys, objection, unconfigured=unconfigured, now=now
    )
    await crud_subscriber_import.settle(session, settled)
    counts = dict.fromkeys(LineOutcome, 0)
    for one in settled:
        counts[one.outcome] += 1
    file.added += counts[LineOutcome.ADDED]
    file.known += counts[LineOutcome.KNOWN]
    file.refused += counts[LineOutcome.REFUSED]
    file.taken += len(settled)
    file.updated_at = now
    if len(lines) < limit:
        file.state, file.finished_at = ImportState.FINISHED, now
    return len(lines)


async def _settle(
    session: WriteSession,
    file: SubscriberImport,
    lines: Sequence[SubscriberImportLine],
    keys: Keys,
    objection: Objection,
    *,
    unconfigured: Collection[Channel],
    now: datetime,
) -> list[Settled]:
    settled: list[Settled] = []
    good: dict[str, tuple[SubscriberImportLine, Wanted, Address]] = {}
    for line in lines:
        try:
            wanted = read_line(json.loads(line.given))
            address = _address(wanted, objection, unconfigured)
        except LineFaultError as fault:
            settled.append(Settled(line.id, LineOutcome.REFUSED, str(fault)))
            continue
        digest = keys.digest(address)
        if digest in good:  # twice in one file
            settled.append(Settled(line.id, LineOutcome.KNOWN))
            continue
        good[digest] = line, wanted, address
    names = {name for _, wanted, _ in good.values() for name in wanted.components}
    ids = await crud_subscriber.components_by_name(session, names) if names else {}
    rows, scopes = [], {}
    for digest, (line, wanted, address) in good.items():
        unknown = [name for name in wanted.components if name.lower() not in ids]
        if unknown:
            why = f"There is no component “{unknown[0][:100]}” on the status page."
            settled.append(Settled(line.id, LineOutcome.REFUSED, why))
            continue
        scopes[digest] = Scopes(tuple(ids[name.lower()] for name in wanted.components))
        wishes = Wishes(not wanted.components, scopes[digest], wanted.frequency)
        rows.append(_row(file, address, digest, wishes, keys, now))
    made = await crud_subscriber.add_many(session, rows)
    await crud_subscriber.add_scopes(session, {key: scopes[one] for one, key in made.items()})
    if not file.have_agreed:
        asked = [(key, good[digest][2].channel) for digest, key in made.items()]
        await crud_subscriber_delivery.owe_link(session, asked, now=now)
        wake_after_commit(session, DELIVERY)
    for digest in scopes:
        outcome = LineOutcome.ADDED if digest in made else LineOutcome.KNOWN
        settled.append(Settled(good[digest][0].id, outcome))
    return settled


def _address(wanted: Wanted, objection: Objection, unconfigured: Collection[Channel]) -> Address:
    try:
        return subscriber_service.read(
            wanted.channel, wanted.address, objection, unconfigured=unconfigured, by_admin=True
        )
    except InvalidAddressError as error:
        raise LineFaultError(str(error.details["errors"][0]["message"])) from None
    except InvalidInputError as error:
        raise LineFaultError(error.message) from None


def _row(
    file: SubscriberImport,
    address: Address,
    digest: str,
    wishes: Wishes,
    keys: Keys,
    now: datetime,
) -> Mapping[str, Any]:
    origin = SubscriberOrigin.IMPORT
    return new_row(
        address,
        digest,
        wishes,
        keys,
        origin,
        by=file.created_by,
        is_proved=file.have_agreed,
        now=now,
    )


def report_cells(lines: Sequence[SubscriberImportLine]) -> Iterator[list[object]]:
    """Refused lines as rows of a report: the number in the file, what is wrong, what it said."""
    for line in lines:
        said = json.loads(line.given)
        columns = ("address", "channel", "frequency", "components")
        yield [line.number, line.reason, *(said.get(name, "") for name in columns)]
