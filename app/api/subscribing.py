"""What the public doors of subscribing share, in JSON and in HTML."""

from app.api.state import Service
from app.api.throttling import count, no_sooner_than
from app.crud.crud_subscriber import Scopes
from app.db.session import WriteSession, transaction_time
from app.domain.notification import Channel
from app.schemas.subscriber import PublicSubscriberCreate
from app.services import subscriber as subscriber_service
from app.services.notification_preference import unconfigured
from app.services.subscriber_keys import Keys, Wishes

SAME_TIME = 0.1  # seconds, whoever asks


def keys_of(service: Service) -> Keys:
    return Keys(service.signer, service.vault)


def closed_channels(service: Service) -> frozenset[Channel]:
    """The channels over which nobody can be told in this installation."""
    return frozenset(unconfigured(service.channel_states()))


async def send_link(service: Service, body: PublicSubscriberCreate, *, client: str) -> None:
    """Send the link that makes this subscription count; in the same time for every address."""
    address = subscriber_service.read(
        body.channel, body.address, service.objection, unconfigured=closed_channels(service)
    )
    keys = keys_of(service)
    await count(service, subscriber_service.tries(keys.digest(address), client))

    async def ask(session: WriteSession) -> None:
        incidents: tuple[int, ...] = ()
        if body.incident is not None:
            incidents = (await subscriber_service.incident_of(session, body.incident),)
        scopes = Scopes(tuple(body.components), tuple(body.groups), incidents)
        wishes = Wishes(scopes.count == 0, scopes, body.frequency)
        now = await transaction_time(session)
        await subscriber_service.ask(session, address, wishes, keys, now=now)

    async with no_sooner_than(SAME_TIME):
        await service.database.write(ask)
