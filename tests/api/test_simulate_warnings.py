"""What a rehearsal warns of, each for something that really happens in it."""

from typing import Any

from tests.api.test_simulate import HIGH, draft, pages, simulate
from tests.world import Person, World


def warned(told: dict[str, Any], kind: str) -> list[str]:
    return [one["message"] for one in told["warnings"] if one["kind"] == kind]


async def rules(world: World, who: Person, *items: dict[str, Any]) -> None:
    """Rules over the one contact method that everybody has."""
    [(method,)] = await world.sql("SELECT id FROM contact_methods WHERE user_id = :u", u=who.id)
    body = {"items": [{"contact_method_id": method, **item} for item in items]}
    await world.call("PUT", "/v1/users/me/notification-rules", who, json=body)


async def test_nothing_is_doubtful_about_a_sound_ladder(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    told = await simulate(world, admin, policy=draft((0, {"user": ana.id}), (5, "admins")))
    assert told["warnings"] == []


async def test_nobody_is_reachable_at_step_2(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    await world.call(
        "PUT", "/v1/notification-preferences", ben, json={"channels": {"email": False}}
    )
    body = draft((0, {"user": ana.id}), (5, {"user": ben.id}), (5, "admins"), repeat=1)

    told = await simulate(world, admin, policy=body)

    assert warned(told, "step_reaches_nobody") == [
        "Step 2 of “Primary” reaches nobody; what comes next comes at once."
        " Ben has switched email off."
    ]
    [where] = [one for one in told["warnings"] if one["kind"] == "step_reaches_nobody"]
    assert (where["policy"], where["step"]) == ("Primary", 1)
    assert pages(told)[1] == (5, admin.email, "sent")
    assert warned(told, "person_hard_to_reach")[0] == (
        "Nobody can page Ben: no rule can be used as it stands."
    )


async def test_a_rule_comes_after_the_next_step_has_begun(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await rules(world, ana, {"delay_minutes": 0}, {"delay_minutes": 10})
    body = draft((0, {"user": ana.id}), (5, "admins"), final_delay_minutes=30, repeat=1)

    told = await simulate(world, admin, policy=body)

    assert warned(told, "rule_comes_late") == [
        "Ana's rule 2 (email after 10 minutes) comes late: step 2 has begun after 5 minutes,"
        " and it only comes after 10 minutes."
    ]


async def test_a_rule_comes_after_the_ladder_has_ended(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await rules(world, ana, {"delay_minutes": 0}, {"delay_minutes": 10})
    told = await simulate(world, admin, policy=draft((0, {"user": ana.id})))
    assert warned(told, "rule_comes_late") == [
        "Ana's rule 2 (email after 10 minutes) comes late: “Primary” has ended after 5 minutes,"
        " and it only comes after 10 minutes."
    ]


async def test_a_rule_never_fires_when_a_step_answers_first(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await rules(world, ana, {"delay_minutes": 0}, {"delay_minutes": 10})
    taken = {"type": "set_status", "status": "acknowledged"}
    steps = [
        *draft((0, {"user": ana.id}))["steps"],
        {"delay_minutes": 5, "actions": [taken]},
    ]
    told = await simulate(world, admin, policy=draft(steps=steps))
    assert warned(told, "rule_never_fires") == [
        "Ana's rule 2 (email after 10 minutes) never fires: a step answers the incident itself"
        " after 5 minutes."
    ]


async def test_the_ladder_ends_with_nobody(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await rules(world, admin)
    told = await simulate(world, ana, policy=draft((0, {"user": ana.id})))
    assert warned(told, "ends_with_nobody") == [
        "The ladder ends with nobody: the fallback reaches nobody."
        f" {admin.email} has no rule for any channel."
    ]
    assert warned(told, "person_hard_to_reach")[0].startswith(f"Nobody can page {admin.email}")


async def test_nobody_is_paged_at_all(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await rules(world, admin)
    told = await simulate(world, ana, policy=draft((0, "assignees")))
    assert warned(told, "nobody_is_paged") == ["Nobody is paged at all."]
    assert warned(told, "step_reaches_nobody") == [
        "Step 1 of “Primary” reaches nobody; what comes next comes at once."
        " There is nobody whom it could page."
    ]


async def test_somebody_is_left_out_of_a_step_that_reaches_others(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    policy = await world.policy(admin, [], steps=[
        {"delay_minutes": 0, "actions": [{"type": "notify", "target": "admins"},
                                         {"type": "notify", "target": {"user": ana.id}}]}
    ])  # fmt: skip
    assert policy["is_active"]
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    told = await simulate(world, admin)
    assert warned(told, "person_left_out") == [
        "Step 1 of “Primary” does not page Ana. Ana is deactivated."
    ]


async def test_nobody_with_an_unverified_contact_method_is_paged(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await world.sql("UPDATE contact_methods SET verified_at = NULL WHERE user_id = :u", u=ana.id)
    told = await simulate(world, admin, policy=draft((0, {"user": ana.id})))
    [message] = warned(told, "step_reaches_nobody")
    assert "Ana has not verified the contact method for email." in message


async def test_quiet_hours_put_a_page_off_past_the_next_step(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana", time_zone="Europe/Berlin")
    await rules(world, ana, {"quiet_from": "22:00", "quiet_until": "06:00"})
    body = draft((0, {"user": ana.id}), (5, "admins"), final_delay_minutes=600)
    night = "2027-01-31T22:30:00Z"

    told = await simulate(world, admin, policy=body, at=night)
    critical = await simulate(
        world, admin, policy=body, at=night, incident={**HIGH, "severity": "critical"}
    )

    assert warned(told, "quiet_hours_defer") == [
        "Quiet hours put Ana's rule 1 (email) off until 2027-02-01 05:00 UTC: step 2 has begun"
        " after 5 minutes, and it only comes after 390 minutes."
    ]
    late = next(line for line in told["lines"] if line["name"] == "Ana")
    assert late["at"] == late["quiet_until"] == "2027-02-01T05:00:00Z"
    assert pages(critical)[0] == (0, "Ana", "sent")
    assert warned(critical, "quiet_hours_defer") == []


async def test_a_policy_that_can_never_match(world: World) -> None:
    admin = await world.admin()
    never = {"service": {"in": ["db"], "not_in": ["db", "web"]}}
    told = await simulate(world, admin, policy=draft((0, "admins"), conditions=never))
    assert warned(told, "policy_never_matches") == [
        "“Primary” can never match: no incident can meet conditions.service."
    ]
    assert warned(told, "no_policy_matches") == [
        "The draft does not match this incident; the fallback is paged."
    ]


async def test_no_time_is_left_to_answer_the_last_step(world: World) -> None:
    admin = await world.admin()
    body = draft((0, "admins"), final_delay_minutes=0)
    told = await simulate(world, admin, policy=body)
    [message] = warned(told, "no_time_to_answer")
    assert message.startswith("“Primary” leaves no time to answer its last step")


def to_severity(severity: str) -> list[dict[str, Any]]:
    return [{"delay_minutes": 1, "actions": [{"type": "set_severity", "severity": severity}]}]


async def test_a_policy_stops_itself_by_the_severity_it_sets(world: World) -> None:
    admin = await world.admin()
    body = draft(steps=to_severity("low"), conditions={"severity": ["high"]})
    told = await simulate(world, admin, policy=body)
    assert warned(told, "policy_stops_itself") == [
        "“Primary” stops itself: the severity it sets is none that it is for."
    ]


async def test_two_policies_that_change_the_severity_to_and_fro_are_cut_short(
    world: World,
) -> None:
    admin = await world.admin()
    for name, severity, other in (("Up", "low", "high"), ("Down", "high", "low")):
        await world.policy(
            admin, [], name=name, steps=to_severity(other), conditions={"severity": severity}
        )
    told = await simulate(world, admin)
    assert warned(told, "severity_goes_round") == [
        "Steps change the severity to and fro (high, low, high, low, high, low, …), and start"
        " policies each time."
    ]
    assert len(warned(told, "cut_short")) == 1
    assert not told["is_complete"]


async def test_a_channel_that_nobody_has_set_up_fails_and_the_ladder_hurries(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await world.sql(
        "INSERT INTO contact_methods (user_id, channel, address, verified_at)"
        " VALUES (:u, 'sms', '+49301234567', now())", u=ana.id,
    )  # fmt: skip
    await world.sql(
        "UPDATE notification_rules SET contact_method_id ="
        " (SELECT id FROM contact_methods WHERE channel = 'sms') WHERE user_id = :u", u=ana.id,
    )  # fmt: skip

    told = await simulate(world, admin, policy=draft((0, {"user": ana.id}), (5, "admins")))

    assert pages(told)[:2] == [(0, "Ana", "failed"), (0, admin.email, "sent")]
    assert warned(told, "channel_not_set_up") == [
        "Ana's rule 1 (sms) fails: sms is not set up in this installation."
    ]
    page = next(line for line in told["lines"] if line["name"] == "Ana")
    assert page["contact_method"] == "+49…67"
