"""A rehearsal stands in nobody's way, and cannot be made to last."""

from contextlib import AsyncExitStack

from app.db.session import ReadSession, WriteSession, transaction_time
from app.domain.incident import Opening, Severity
from app.services import simulation
from app.services.simulation import MOST_AT_ONCE, MOST_ROUNDS, Question
from tests.api.test_simulate import draft, simulate
from tests.world import Scripted, World

OPENING = Opening("Disk full", Severity.HIGH, "database", "A rehearsal.")


async def test_the_pager_goes_on_while_a_rehearsal_is_open(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.policy(admin, [(0, {"user": ana.id})])
    key = await world.integration_key(admin)
    running = (await world.declare(ana))["id"]
    body = draft((0, {"user": ana.id}), (5, "admins"), repeat=1)
    mail = Scripted()

    for question in (Question(incident_id=running), Question(incident_id=running, draft=body)):
        async with world.database.sessions() as session:
            session.info["clock_shift"] = world.database.clock_shift
            rehearsal = WriteSession(ReadSession(session))
            now = await transaction_time(rehearsal)
            told = await simulation.rehearse(rehearsal, question, now=now)
            assert told.lines
            # All of its rows and locks are there, and all of this goes through:
            opened = await world.alert(key, dedup_key=str(question.draft is None))
            await world.pass_time(mail)
            await world.act(ana, opened["incident_id"], "acknowledge")
            comment = {"content": "Still here."}
            await world.act(ana, running, "comments", expect=201, json=comment)
    await world.act(ana, running, "resolve")
    assert mail.recipients == ["ana@example.org"] * 3


async def test_two_rehearsals_of_the_same_thing_do_not_wait_for_each_other(world: World) -> None:
    admin = await world.admin()
    running = (await world.declare(admin))["id"]
    async with world.database.sessions() as session:
        session.info["clock_shift"] = world.database.clock_shift
        rehearsal = WriteSession(ReadSession(session))
        now = await transaction_time(rehearsal)
        for question in (Question(incident_id=running), Question(OPENING)):
            await simulation.rehearse(rehearsal, question, now=now)
        told = await simulate(world, admin, incident_id=running)
    assert told["lines"]


async def test_somebody_who_edits_a_policy_makes_a_draft_wait_only_so_long(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    async with world.database.writing() as session:
        policy = await world.sql("SELECT id FROM escalation_policies")
        assert len(policy) == 1
        await simulation.crud_escalation.lock_policy(session, policy[0][0])
        refused = await simulate(world, admin, 503, policy=draft((0, "admins")))
    assert refused["code"] == "BUSY"


async def test_the_longest_ladder_ends_in_bounded_work(world: World) -> None:
    admin = await world.admin()
    step = {"delay_minutes": 1, "actions": [{"type": "notify", "target": "admins"}] * 20}
    body = draft(steps=[step] * 50, repeat=20)
    told = await simulate(world, admin, policy=body)
    assert not told["is_complete"]
    assert [one["kind"] for one in told["warnings"]] == ["cut_short"]
    taken = [line for line in told["lines"] if line["action"] == "escalation_step"]
    assert 100 < len(taken) <= MOST_ROUNDS


async def test_only_so_many_rehearse_at_once(world: World) -> None:
    """Or whoever asks for many would take the connections that paging needs."""
    admin = await world.admin()
    async with AsyncExitStack() as stack:
        for _ in range(MOST_AT_ONCE):
            session = await stack.enter_async_context(world.database.sessions())
            session.info["clock_shift"] = world.database.clock_shift
            rehearsal = WriteSession(ReadSession(session))
            now = await transaction_time(rehearsal)
            await simulation.rehearse(rehearsal, Question(OPENING), now=now)
        refused = await simulate(world, admin, 503)
        assert refused["message"].startswith("Others are simulating just now")
    await simulate(world, admin)


async def test_one_person_may_ask_only_so_often(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.sql("UPDATE throttles SET count = 0")
    await simulate(world, ana)
    await world.sql("UPDATE throttles SET count = :n", n=simulation.PER_USER.limit)
    refused = await simulate(world, ana, 429)
    assert refused["message"].startswith("Too many simulations")
    await simulate(world, admin)
