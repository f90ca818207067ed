"""What is under way is written down for as long as its lease lasts, or handed over."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from app.worker import underway
from app.worker.underway import Carrier, UnderWay, write_down

PATIENCE = 60.0  # longer than any of this may take


@dataclass
class Book:
    """Takes what is written after so many failures; then says whether it was ours."""

    failures: list[Exception] = field(default_factory=list)
    is_ours: bool = True
    tries: int = 0

    async def write(self) -> bool:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        return self.is_ours


class Ferry(Carrier[str]):
    """Carries nothing until its gate opens, and lists what it recorded and handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.recorded: list[str] = []
        self.handed_over: list[tuple[str, bool]] = []

    def take(self, lease: str) -> None:
        self._start(lease, lease)

    async def _carry(self, one: UnderWay[str]) -> None:
        one.is_begun = True
        await self.gate.wait()
        one.is_ended = True
        self.recorded.append(one.lease)

    async def _hand_over(self, one: UnderWay[str]) -> None:
        self.handed_over.append((one.lease, one.is_begun))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(underway, "PAUSES", (0.0,))


async def written(book: Book, *, patience: float = PATIENCE) -> None:
    await write_down(book.write, patience=patience, what="parcel", parcel=7)


async def test_what_cannot_be_written_is_tried_until_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = Book([ConnectionRefusedError(), ConnectionResetError()])
    await written(book)
    assert book.tries == 3
    assert caplog.records == [], "an outage is told by the loops, not by each message"


async def test_an_error_of_our_own_is_told_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = Book([ValueError(), ValueError()])
    await written(book)
    assert book.tries == 3
    assert [(r.msg, r.levelno) for r in caplog.records] == [
        ("parcel.recorded_later", logging.ERROR)
    ]
    assert caplog.records[0].parcel == 7  # type: ignore[attr-defined]


async def test_when_its_lease_has_ended_it_is_another_ones(
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = Book([ConnectionRefusedError(), ConnectionRefusedError()])
    await written(book, patience=-1.0)
    assert book.tries == 1
    assert [record.msg for record in caplog.records] == ["parcel.not_recorded"]


async def test_a_lease_that_somebody_else_has_is_said_and_not_fought_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = Book(is_ours=False)
    await written(book)
    assert book.tries == 1
    assert [record.msg for record in caplog.records] == ["parcel.lease_was_lost"]


async def test_who_is_done_rings_and_draining_waits_for_all() -> None:
    ferry, rung = Ferry(), list[str]()
    ferry.freed = lambda: rung.append("rung")
    for lease in ("a", "b"):
        ferry.take(lease)
    assert ferry.is_sending
    draining = asyncio.create_task(ferry.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    ferry.gate.set()
    await draining
    assert (ferry.recorded, rung, ferry.is_sending) == (["a", "b"], ["rung", "rung"], False)


async def test_what_was_begun_and_what_was_not_are_handed_over_as_such() -> None:
    ferry = Ferry()
    ferry.take("begun")
    await asyncio.sleep(0)
    ferry.take("not begun")
    await ferry.abandon()
    assert ferry.handed_over == [("begun", True), ("not begun", False)]
    assert (ferry.recorded, ferry.is_sending) == ([], False)
