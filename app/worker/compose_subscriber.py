"""What leaves for subscribers: leased letters, as messages with their links.

The text is read when it is sent, for all of a lease at once: an edit that was made meanwhile
counts, and what was withdrawn is not sent. Only public tables are read (promise 7).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from app.channels.base import Message
from app.crud import crud_subscriber, crud_subscriber_notice
from app.crud.crud_subscriber_delivery import LeasedLetter
from app.crud.crud_subscriber_notice import Told
from app.db.session import ReadSession
from app.domain.notification import Channel
from app.domain.public_page import headline_of, level_of
from app.domain.subscriber import LetterKind, secret_place
from app.domain.subscriber_letter import PageSaid
from app.domain.webhook import Hook
from app.messages import subscriber as words
from app.messages.subscriber import Overall, Place, Said
from app.services.subscriber import wants_in_words
from app.services.subscriber_delivery import WITHDRAWN
from app.services.subscriber_keys import Keys, Wishes


class WithdrawnError(Exception):
    """Nobody is to read it any more."""

    def __init__(self) -> None:
        super().__init__(WITHDRAWN)


class UnsealableError(Exception):
    """The address was sealed with another key."""

    def __init__(self) -> None:
        super().__init__(
            "Its address cannot be read, because Tocsin’s secret key has changed; its owner must"
            " subscribe again."
        )


@dataclass(frozen=True)
class Reading:
    """What the public may read now, as far as some letters need it."""

    page: PageSaid = field(default_factory=PageSaid)
    overall: Overall = field(default_factory=Overall)
    told: Mapping[int, Told] = field(default_factory=dict)
    wants: Mapping[int, str] = field(default_factory=dict)  # by subscriber: what they asked for


async def read(session: ReadSession, letters: Collection[LeasedLetter]) -> Reading:
    """All that these letters are written from."""
    notices = {notice for letter in letters for notice in letter.notices}
    told = await crud_subscriber_notice.read(session, notices) if notices else {}
    overall = Overall()
    if any(letter.channel is Channel.WEBHOOK for letter in letters):
        components, impacts = await crud_subscriber_notice.how_it_stands(session)
        level = level_of((status for _, status in components), impacts)
        overall = Overall(level, headline_of(components, has_incidents=bool(impacts)))
    asking = {one.subscriber_id for one in letters if one.kind is LetterKind.CONFIRMATION}
    page = await crud_subscriber_notice.page(session)
    return Reading(page, overall, told, await _wants(session, asking))


async def _wants(session: ReadSession, asking: Collection[int]) -> dict[int, str]:
    found = {}
    for one, kept in (await crud_subscriber.asked_for(session, asking)).items():
        wishes = Wishes() if kept is None else Wishes.read(kept)
        names = await crud_subscriber.names_of(session, wishes.scopes)
        found[one] = wants_in_words(wishes, names)
    return found


class Writer:
    """Writes messages of one installation."""

    def __init__(self, keys: Keys, public_url: str) -> None:
        self._keys = keys
        self._base = public_url.rstrip("/")

    def message(self, lease: LeasedLetter, reading: Reading) -> Message:
        """A leased letter as its channel takes it."""
        place = Place(self._base, self._keys.token(lease.link_number))
        said = _said(lease, reading, place)
        told = [reading.told[notice].news for notice in lease.notices if notice in reading.told]
        thread = told[0].code if len(told) == 1 else None
        return Message(
            mark=str(lease.uid),
            thread=f"status-{thread}" if thread else f"status-{lease.uid}",
            address=lease.address,
            subject=said.subject,
            text=said.text,
            html=said.html,
            data=said.data or {},
            secret=self._unsealed(lease),
            unsubscribe_url=place.unsubscribe,
        )

    def hook(self, lease: LeasedLetter, message: Message) -> Hook:
        """The same as a call to a webhook, signed for it alone."""
        secret = self._keys.hook_secret(lease.link_number)
        return Hook(message.mark, message.secret or "", message.data, (secret,))

    def _unsealed(self, lease: LeasedLetter) -> str | None:
        if lease.secret is None:
            return None
        place = secret_place(lease.address_hash)
        found = self._keys.vault.unlock(lease.secret, place=place)
        if found is None:
            raise UnsealableError
        return found


def _said(lease: LeasedLetter, reading: Reading, place: Place) -> Said:
    if lease.kind is LetterKind.CONFIRMATION:
        wants = reading.wants.get(lease.subscriber_id, "")
        return words.ask(lease.channel, reading.page, wants, place)
    found = [reading.told[notice] for notice in lease.notices if notice in reading.told]
    news = [one.news for one in found if not one.is_withdrawn]
    if not news:
        raise WithdrawnError
    return words.tell(lease.channel, news, reading.page, reading.overall, place)
