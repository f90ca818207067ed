"""Mail without a mail server, or to people who are made up: each page is kept as an `.eml` file,
and every one says so aloud.

A file appears whole or not at all, readable by us alone. Its name comes from the message's
mark, so a resend replaces its first copy.
"""

import asyncio
import contextlib
import logging
import os
import tempfile
from datetime import timedelta
from pathlib import Path

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sent
from app.channels.mime import AddressError, compose, parse_author
from app.channels.plain import one_line, stable_token
from app.domain.demo import is_made_up
from app.domain.notification import Channel

log = logging.getLogger(__name__)


class OutboxSender:
    """Stands in for mail while no mail server is set."""

    channel: Channel = Channel.EMAIL

    def __init__(
        self,
        folder: Path,
        mail_from: str,
        *,
        timeout: timedelta = timedelta(seconds=10),
        concurrency: int = 4,
    ) -> None:
        self.timeout = timeout
        self.concurrency = concurrency
        self._folder = folder.absolute()
        self._author = parse_author(mail_from)

    async def send(self, message: Message) -> Outcome:
        """Keep the message in a file, and say where it lies."""
        try:
            mail = compose(message, self._author)
        except AddressError as exc:
            return GaveUp(str(exc))
        path = self._folder / f"{stable_token(message.mark)}.eml"
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                await asyncio.to_thread(_write_whole, path, mail.content)
        except TimeoutError:
            return RetryLater(one_line(f"The outbox {self._folder} is too slow to write to."))
        except OSError as exc:
            return RetryLater(one_line(f"The outbox {self._folder} cannot be written: {exc}"))
        if is_made_up(message.address):
            log.info("outbox.demo", extra={"path": str(path)})
        else:
            log.warning(
                "No mail server is set (TOCSIN_SMTP_URL), so this page only lies in %s", path
            )
        return Sent(kept_at=str(path))

    def state(self) -> str:
        """`outbox`: what it takes reaches nobody."""
        return "outbox"

    async def close(self) -> None:
        """Nothing is held between messages."""


def _write_whole(path: Path, content: bytes) -> None:
    # Only a folder of our own making is closed to others: the operator's may be shared.
    with contextlib.suppress(FileExistsError):
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
