"""The outbox: what a page leaves on disk when there is no mail server."""

import asyncio
import email
import email.policy
import logging
import os
from datetime import timedelta
from pathlib import Path

import pytest

from app.channels.base import GaveUp, RetryLater, Sent
from app.channels.outbox import OutboxSender
from tests.channels.factories import make_message


def make_sender(folder: Path) -> OutboxSender:
    return OutboxSender(folder, "Tocsin <tocsin@pager.example>")


async def test_a_page_is_kept_as_a_private_file_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data" / "outbox"
    with caplog.at_level(logging.WARNING):
        outcome = await make_sender(folder).send(make_message(html="<p>ü</p>"))

    path = folder / "ntf-4711-a.eml"
    assert outcome == Sent(kept_at=str(path))
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["Message-ID"] == "<ntf-4711-a@pager.example>"
    assert mail["To"] == "alice@example.org"
    [record] = [record for record in caplog.records if record.name == "app.channels.outbox"]
    assert record.levelname == "WARNING"
    assert "No mail server" in record.getMessage()
    assert str(path) in record.getMessage()


async def test_a_resend_makes_no_second_file(tmp_path: Path) -> None:
    sender = make_sender(tmp_path)
    await sender.send(make_message(text="first"))
    await sender.send(make_message(text="second"))
    [path] = tmp_path.iterdir()
    assert b"second" in path.read_bytes()


@pytest.mark.parametrize(
    "mark",
    ["../../etc/passwd", "/etc/passwd", "..", ".hidden", "a\x00b", "x" * 5000, "", "-rf", "ü"],
)
async def test_no_mark_leaves_the_folder(tmp_path: Path, mark: str) -> None:
    folder = tmp_path / "outbox"
    outcome = await make_sender(folder).send(make_message(mark=mark))
    [path] = folder.iterdir()
    assert outcome == Sent(kept_at=str(path))
    assert len(path.name) < 110
    assert path.name.isascii()
    assert [child.name for child in tmp_path.iterdir()] == ["outbox"]


async def test_a_folder_of_the_operators_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    await make_sender(tmp_path).send(make_message())
    assert tmp_path.stat().st_mode & 0o777 == 0o755


async def test_a_folder_that_cannot_be_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "outbox"):
        assert isinstance(await make_sender(folder).send(make_message()), RetryLater)


async def test_a_full_disk_leaves_no_half_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    outcome = await make_sender(tmp_path).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "No space left" in outcome.error
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_hangs_does_not_hold_the_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(asyncio, "to_thread", hang)
    assert isinstance(await make_sender(tmp_path).send(make_message()), RetryLater)


async def test_what_is_no_address_is_no_mail(tmp_path: Path) -> None:
    outcome = await make_sender(tmp_path).send(make_message(address="nobody"))
    assert isinstance(outcome, GaveUp)
    assert list(tmp_path.iterdir()) == []


async def test_the_outbox_says_what_it_is(tmp_path: Path) -> None:
    sender = make_sender(tmp_path)
    assert sender.state() == "outbox"
    assert sender.timeout == timedelta(seconds=10)
    await sender.close()
