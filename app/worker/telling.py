"""What one process does for subscribers of the status page: its loops, and what they share.

They have a way to the database and senders of their own, so that no page waits for one of theirs.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from app.channels.base import Sender
from app.channels.targets import objection_to, parse_networks
from app.core.config import Settings
from app.db.session import Database
from app.domain.notification import Channel
from app.domain.public_update import FAN_OUT
from app.domain.subscriber import CHANNELS
from app.services.notification_preference import unconfigured
from app.services.subscriber import DELIVERY
from app.services.subscriber_import import IMPORTS
from app.services.subscriber_keys import Keys
from app.worker.compose_subscriber import Writer
from app.worker.loop import Loop
from app.worker.subscriber_imports import SubscriberImports
from app.worker.subscribers import HookSender, Subscribers

POOL = 3  # connections
BY_PROVIDER = tuple(one for one in CHANNELS if one is not Channel.WEBHOOK)
LOOPS = (FAN_OUT, DELIVERY, IMPORTS)


class Telling:
    """The loops for subscribers of one process."""

    def __init__(
        self,
        database: Database,
        senders: Sequence[Sender],
        hooks: HookSender,
        keys: Keys,
        settings: Settings,
        public_url: str,
    ) -> None:
        aside = database.beside(pool_size=POOL)
        closed = unconfigured({str(sender.channel): sender.state() for sender in senders})
        ways = [one for one in senders if one.channel in BY_PROVIDER and one.channel not in closed]
        allowed = parse_networks(settings.allow_private_targets)
        self.way = Subscribers(
            aside,
            ways,
            hooks,
            Writer(keys, public_url),
            margin=timedelta(seconds=settings.lease_margin_seconds),
        )
        self._imports = SubscriberImports(
            aside, keys, partial(objection_to, allowed=allowed), unconfigured=closed
        )

    def loops(self, longest: timedelta) -> dict[str, Loop]:
        """By name; they turn at least that often."""
        sending = Loop(DELIVERY, self.way.deliver_due, longest_sleep=longest)
        self.way.freed = sending.ring
        return {
            FAN_OUT: Loop(FAN_OUT, self.way.fan_out, longest_sleep=longest),
            DELIVERY: sending,
            IMPORTS: Loop(IMPORTS, self._imports.round, longest_sleep=longest),
        }

    async def close(self) -> None:
        await self.way.close()
