"""What a browser subscribes with, and what we sign our pushes with, are one key."""

import base64

from app.channels.push import PushSender
from app.core.security import Signer
from app.main import push_key
from tests.world import World


async def test_browsers_get_the_public_half_of_the_key_that_signs(
    world: World, signer: Signer
) -> None:
    viewer = await world.person()
    told = await world.call("GET", "/v1/push/public-key", viewer)
    sender = PushSender(push_key(signer), subject="mailto:ops@example.org")
    assert told == {"application_server_key": sender.public_key()}
    point = base64.urlsafe_b64decode(told["application_server_key"] + "=")
    assert (len(point), point[0]) == (65, 4)
