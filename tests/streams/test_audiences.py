"""Between what is internal and the public stand two fences, and each of them is enough: what is
read back is read for one audience only, and what is handed over is handed to those it is for."""

import pytest

from app.api.feed import Frame, Wanted
from app.crud import crud_event
from app.domain.event import Audience, EventType
from tests.streams.listening import Stage, listening
from tests.streams.test_public import publish


async def mixed(stage: Stage) -> None:
    """Places 1, 3 and 5 are the console's, 2 and 4 the public's."""
    admin = await stage.world.admin()
    for turn in range(3):
        await stage.world.declare(admin, title="INTERNAL", service="INTERNAL")
        await stage.relay()
        if turn < 2:
            await publish(stage)


async def positions(stage: Stage, limit: int, audience: Audience | None) -> list[int | None]:
    async with stage.database.reading() as session:
        found = await crud_event.read_after(session, 0, limit, audience=audience)
    assert audience is None or {event.audience for event in found} <= {audience}
    return [event.position for event in found]


async def test_what_is_read_for_an_audience_is_for_it_alone(stage: Stage) -> None:
    await mixed(stage)
    assert await positions(stage, 10, Audience.PUBLIC) == [2, 4]
    assert await positions(stage, 10, Audience.CONSOLE) == [1, 3, 5]
    assert await positions(stage, 10, None) == [1, 2, 3, 4, 5]
    assert await positions(stage, 2, Audience.PUBLIC) == [2, 4]  # a page is a page of one's own


async def test_what_is_read_back_for_the_public_needs_no_second_fence(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever hands over takes everything for everybody's: a slip that must not show here."""
    monkeypatch.setattr(Wanted, "takes", lambda _wanted, _frame: True)
    await mixed(stage)
    path = "/v1/public/stream?last_event_id=0"
    answer = await stage.http.get(f"{path}&follow=false")
    assert answer.status_code == 200
    assert "INTERNAL" not in answer.text
    assert answer.text.count("event: incident.update_posted") == 2
    async with listening(stage.http, path) as stream:
        assert [(await stream.event()).id for _ in range(2)] == [2, 4]


@pytest.mark.parametrize("mine", list(Audience))
def test_what_is_handed_over_is_for_an_audience_alone(mine: Audience) -> None:
    frames = [
        Frame(place, audience, EventType.INCIDENT_UPDATED, 1, "{}")
        for place, audience in enumerate(Audience)
    ]
    assert [frame.audience for frame in frames if Wanted(mine).takes(frame)] == [mine]
