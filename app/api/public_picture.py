"""The picture of the public page, kept for as long as nothing on it changes.

Whoever asks costs one small statement: how far the page has come. It is drawn anew when that
changed, and each minute, because days grow and the page says when it was looked at. Among many
who ask at once one draws and the others wait for it: when things are bad, everybody looks.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from app.crud import crud_status_page
from app.db.session import ReadSession
from app.domain.public_page import PublicPage
from app.services import public_page as public_page_service

Seen = tuple[int, datetime]  # how far the page had come, and in which minute
MOST = 4  # addresses by which Tocsin is reached


@dataclass(frozen=True)
class _Kept:
    seen: Seen
    page: PublicPage


class PublicPicture:
    """One for the process."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._drawing = asyncio.Lock()

    async def look(self, session: ReadSession, address: str, *, now: datetime) -> PublicPage:
        """The page as it is. `address` is where Tocsin is reached."""
        minute = now.replace(second=0, microsecond=0)
        seen = (await crud_status_page.version(session), minute)
        kept = self._kept.get(address)
        if kept is not None and kept.seen == seen:
            return kept.page
        async with self._drawing:
            kept = self._kept.get(address)
            if kept is None or kept.seen != seen:
                page = await public_page_service.picture(session, now=now, address=address)
                kept = _Kept(seen, page)
                if len(self._kept) >= MOST:
                    self._kept.clear()
                self._kept[address] = kept
            return kept.page
