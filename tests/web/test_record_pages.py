"""What was sent, who changed what, and drills, at the console."""

from app.domain.user import Role
from tests.web.consoles import console
from tests.web.html import read
from tests.world import World


async def test_a_page_has_its_story_and_filters_narrow_the_list(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person(full_name="Bob Ross")
    await world.policy(ada.person, [(0, {"user": bob.id})])
    await world.declare(ada.person, title="Disk full")
    await world.climb()
    page = await ada.page("/notifications?kind=page")
    assert "Bob Ross" in page.text
    assert "Disk full Page of #" in page.text
    [place] = {one for one in page.addresses if one.startswith("/notifications/")}
    shown = await ada.page(place)
    assert "pages Bob Ross" in shown.text
    assert "Bob Ross" not in (await ada.page("/notifications?user=me&kind=page")).text
    assert "Bob Ross" not in (await ada.page("/notifications?status=failed")).text
    # What makes no sense narrows nothing, and breaks nothing.
    await ada.get("/notifications?status=x&channel=y&kind=z&user=0&incident=-1&page=x")


async def test_letters_to_others_are_hidden_from_who_is_no_admin(world: World) -> None:
    ada = await console(world, await world.admin())
    ana = await console(world, await world.person())
    form = {"channel": "email", "where": "secret@example.org"}
    await ada.do("/profile/contact", form)
    [[letter]] = await world.sql("SELECT max(id) FROM notifications")
    await ada.get(f"/notifications/{letter}")
    await ana.get(f"/notifications/{letter}", expect=404)
    assert f"/notifications/{letter}" not in (await ana.page("/notifications")).addresses


async def test_the_audit_log_tells_before_and_after_and_narrows(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person()
    await ada.do(f"/users/{bob.id}/edit", {"role": "viewer", "email": bob.email})
    page = await ada.page(f"/audit?type=user&id={bob.id}")
    assert "responder → viewer" in page.text
    assert "responder → viewer" not in (await ada.page("/audit?type=team")).text
    assert "responder → viewer" not in (await ada.page("/audit?until=2020-01-01T00:00")).text
    await ada.get("/audit?user=x&since=never&page=-1")
    file = await ada.get(f"/audit/audit-log.csv?type=user&id={bob.id}")
    assert file.splitlines()[0].startswith("id,created_at")
    assert "viewer" in file
    assert "team" not in await ada.get("/audit/audit-log.csv?type=team&id=0")


async def test_a_password_is_in_no_audit_page(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person()
    form = {"email": bob.email, "role": "viewer", "password": "a very new secret"}
    await ada.do(f"/users/{bob.id}/edit", form)
    html = await ada.get(f"/audit?type=user&id={bob.id}")
    assert "a very new secret" not in html
    assert "(secret)" in html


async def test_only_admins_read_the_audit_log(world: World) -> None:
    ana = await console(world, await world.person())
    await ana.get("/audit", expect=403)
    await ana.get("/audit/audit-log.csv", expect=403)
    assert "/audit" not in (await ana.page("/services")).addresses


async def test_a_drill_of_oneself_is_started_and_its_pages_are_shown(world: World) -> None:
    ana = await console(world, await world.person(role=Role.VIEWER))
    assert "No drill yet" in (await ana.page("/fire-drills")).text
    place = await ana.do("/fire-drills", {"message": "Try me"})
    await world.climb()
    page = await ana.page(place)
    assert "Running" in page.text
    assert [one for one in page.addresses if one.startswith("/notifications/")]
    assert "by their own rules" in (await ana.page("/fire-drills")).text


async def test_a_policy_is_drilled_by_responders_only(world: World) -> None:
    ada = await console(world, await world.admin())
    policy = await world.policy(ada.person, [(0, {"user": ada.person.id})])
    vic = await console(world, await world.person(role=Role.VIEWER))
    answer = await vic.post("/fire-drills", {"policy_id": policy["id"]})
    assert answer.status_code == 422
    assert "drilled by responders" in read(answer.text).text
    await ada.do("/fire-drills", {"policy_id": policy["id"]})
