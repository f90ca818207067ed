"""Checks before the night: what would let a page reach nobody, found while there is time. Pure.

Each check takes what is set up and yields findings: what the hole is, what closes it, and where.
A finding is the same from night to night as long as its code and place are, whatever its words.
Who could be paged is asked of `fan_out` itself, so no check believes in a page that production
would not send. What depends on an incident (its assignees, its creator) is no hole.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.domain import contact_method
from app.domain.contradictions import impossible
from app.domain.escalation import Notify, Step, read_steps
from app.domain.finding import Crew, Finding, Gravity, Hole, Policy, Rota, ServiceSetUp, SetUp
from app.domain.incident import Severity, Urgency
from app.domain.notification import Recipient, fan_out
from app.domain.target import ON_DUTY, Target, TargetKind
from app.domain.timeline import Interval, gaps

AHEAD = timedelta(days=30)
MOST_OF_ONE_KIND = 200
SHOWN = 3


def findings(setup: SetUp) -> list[Finding]:
    """All holes, the gravest first; at most `MOST_OF_ONE_KIND` of each kind."""
    found: dict[tuple[str, str], Finding] = {}
    counted: dict[str, int] = {}
    for check in (_schedules, _twice, _people, _teams, _policies, _services, _others):
        for one in check(setup):
            if (one.code, one.place) in found or counted.get(one.code, 0) >= MOST_OF_ONE_KIND:
                continue
            counted[one.code] = counted.get(one.code, 0) + 1
            found[one.code, one.place] = one
    order = list(Gravity)
    return sorted(found.values(), key=lambda one: (order.index(one.severity), one.code))


def of_services(setup: SetUp) -> list[Finding]:
    """The holes of services alone."""
    return list(_services(setup))


def schedules_wanted(policies: Iterable[Policy]) -> set[int]:
    """Every schedule that a policy names."""
    named = {target.schedule_id for policy in policies for target in _all_targets(policy)}
    return {one for one in named if one is not None}


def teams_wanted(policies: Iterable[Policy]) -> set[int]:
    """Every team that a policy names."""
    named = {target.team_id for policy in policies for target in _all_targets(policy)}
    return {one for one in named if one is not None}


def people_wanted(setup: SetUp) -> set[int]:
    """Everybody whom a schedule, a team or a policy may page."""
    return set(_places(setup))


def _named(policy: Policy) -> Iterator[int]:
    for target in _all_targets(policy):
        if target.user_id is not None:
            yield target.user_id
        yield from target.user_ids


def _all_targets(policy: Policy) -> list[Target]:
    return [target for step in read_steps(policy.steps) for target in _targets(step)]


def _targets(step: Step) -> list[Target]:
    return [action.target for action in step.actions if isinstance(action, Notify)]


# --- Schedules


def _schedules(setup: SetUp) -> Iterator[Finding]:
    for rota in setup.rotas:
        link = f"/v1/schedules/{rota.id}"
        if not rota.stretches:
            yield Finding(
                Hole.SCHEDULE_IS_EMPTY,
                f"schedule:{rota.id}",
                Gravity.CRITICAL,
                f"Nobody is on call by “{rota.name}” in the next {AHEAD.days} days.",
                "Add a layer with people, or delete the schedule.",
                link,
            )
            continue
        holes = gaps(rota.stretches, setup.during)
        if holes:
            more = f", and in {len(holes) - SHOWN} more gaps" if len(holes) > SHOWN else ""
            yield Finding(
                Hole.SCHEDULE_HAS_GAPS,
                f"schedule:{rota.id}",
                Gravity.WARNING,
                f"Nobody is on call by “{rota.name}”"
                f" {'; '.join(_told(hole) for hole in holes[:SHOWN])}{more}.",
                "Add a layer below that is always on, or an override for these times.",
                link,
            )


def _told(hole: Interval) -> str:
    return f"from {hole.starts_at:%Y-%m-%d %H:%M} to {hole.ends_at:%Y-%m-%d %H:%M} UTC"


def _twice(setup: SetUp) -> Iterator[Finding]:
    """Who is on call by two schedules at once: pages of two kinds meet one pair of hands."""
    times: dict[int, list[tuple[datetime, datetime, Rota]]] = {}
    for rota in setup.rotas:
        for starts_at, ends_at, people in rota.stretches:
            for user_id in people:
                times.setdefault(user_id, []).append((starts_at, ends_at, rota))
    for user_id, mine in sorted(times.items()):
        told: set[tuple[int, int]] = set()
        last: tuple[datetime, datetime, Rota] | None = None
        for one in sorted(mine, key=lambda each: (each[0], each[2].id)):
            if last is not None and one[0] < last[1] and one[2].id != last[2].id:
                first, second = sorted((last[2], one[2]), key=lambda rota: rota.id)
                if (first.id, second.id) not in told:
                    told.add((first.id, second.id))
                    yield _on_two(setup, user_id, first, second, one[0])
            if last is None or one[1] > last[1]:
                last = one


def _on_two(setup: SetUp, user_id: int, first: Rota, second: Rota, at: datetime) -> Finding:
    return Finding(
        Hole.ON_TWO_SCHEDULES,
        f"user:{user_id}:schedules:{first.id},{second.id}",
        Gravity.NOTE,
        f"{_name(setup, user_id)} is on call by “{first.name}” and “{second.name}” at once, first"
        f" at {at:%Y-%m-%d %H:%M} UTC.",
        "If that is not meant, swap one of the shifts or put an override over it.",
        f"/v1/schedules/{second.id}",
    )


# --- People


def _people(setup: SetUp) -> Iterator[Finding]:
    for user_id, places in sorted(_places(setup).items()):
        person = setup.people.get(user_id)
        where = _in_words(places)
        if person is None or not person.is_active:
            yield Finding(
                Hole.PERSON_DEACTIVATED,
                f"user:{user_id}",
                Gravity.CRITICAL,
                f"{_name(setup, user_id)} is deactivated and still in {where}.",
                "Put somebody else there.",
                f"/v1/users/{user_id}",
            )
        else:
            yield from _of_person(setup, person, where)


def _of_person(setup: SetUp, person: Recipient, where: str) -> Iterator[Finding]:
    place = f"user:{person.user_id}"
    link = f"/v1/users/{person.user_id}/notification-rules"
    usable = [rule for rule in person.rules if rule.channel not in setup.unconfigured]
    if not any(rule.is_verified for rule in usable):
        yield Finding(
            Hole.NO_VERIFIED_CONTACT,
            place,
            Gravity.CRITICAL,
            f"{person.name}, in {where}, has no rule with a verified contact method over a channel"
            " that is set up: no page reaches them.",
            f"{person.name} verifies a contact method and has a rule for it.",
            link,
        )
        return
    unpaged = [urgency for urgency in Urgency if not _reached(setup, person, urgency)]
    for urgency in unpaged:
        yield Finding(
            Hole.NO_RULE_FOR_URGENCY,
            f"{place}:{urgency}",
            Gravity.CRITICAL if urgency is Urgency.HIGH else Gravity.WARNING,
            f"{person.name}, in {where}, has no rule that pages for {urgency} urgency.",
            "Add a rule for it, or leave the urgency of another rule out.",
            link,
        )
    sentences = contact_method.doubts(person, unconfigured=setup.unconfigured)
    if sentences and not unpaged:
        yield Finding(
            Hole.RULES_IN_DOUBT,
            place,
            Gravity.NOTE,
            " ".join(sentences[:SHOWN]),
            "Change the rules so that each can fire.",
            link,
        )


def _reached(setup: SetUp, person: Recipient, urgency: Urgency) -> bool:
    """Whether a page of the worst kind would be sent over a channel that is set up."""
    pages, _ = fan_out(
        person,
        channels=(),
        severity=Severity.CRITICAL,
        due_at=setup.during.starts_at,
        urgency=urgency,
    )
    return any(page.channel not in setup.unconfigured for page in pages)


def _places(setup: SetUp) -> dict[int, dict[str, None]]:
    """By person: the schedules, teams and policies they are in."""
    found: dict[int, dict[str, None]] = {}
    for rota in setup.rotas:
        for user_id in {one for each in rota.stretches for one in each.people}:
            found.setdefault(user_id, {})[f"the schedule “{rota.name}”"] = None
    for team in setup.teams:
        for user_id in team.members:
            found.setdefault(user_id, {})[f"the team “{team.name}”"] = None
    for policy in setup.policies:
        for user_id in _named(policy):
            found.setdefault(user_id, {})[f"the policy “{policy.name}”"] = None
    return found


def _in_words(places: Iterable[str]) -> str:
    named = list(places)
    more = len(named) - SHOWN
    return ", ".join(named[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _name(setup: SetUp, user_id: int) -> str:
    person = setup.people.get(user_id)
    return person.name if person is not None else f"User {user_id}"


def _teams(setup: SetUp) -> Iterator[Finding]:
    for team in setup.teams:
        if team.owns_something and not any(_is_active(setup, one) for one in team.members):
            yield Finding(
                Hole.TEAM_IS_EMPTY,
                f"team:{team.id}",
                Gravity.WARNING,
                f"Nobody active is in the team “{team.name}”, which a service or policy counts on.",
                "Add a member, or give what it owns to another team.",
                f"/v1/teams/{team.id}",
            )


def _is_active(setup: SetUp, user_id: int) -> bool:
    person = setup.people.get(user_id)
    return person is not None and person.is_active


# --- Policies and services


def _policies(setup: SetUp) -> Iterator[Finding]:
    reachable = {
        user_id
        for user_id, person in setup.people.items()
        if person.is_active and _reached(setup, person, Urgency.HIGH)
    }
    rotas = {rota.id: rota for rota in setup.rotas}
    teams = {team.id: team for team in setup.teams}
    for policy in setup.policies:
        link = f"/v1/escalation/policies/{policy.id}"
        never = impossible(policy.conditions)
        if never is not None:
            yield Finding(
                Hole.POLICY_NEVER_MATCHES,
                f"policy:{policy.id}",
                Gravity.WARNING,
                f"No incident can match “{policy.name}”: {never} can never hold.",
                "Change its conditions, or switch it off.",
                link,
            )
        for number, step in enumerate(read_steps(policy.steps)):
            targets = _targets(step)
            meant = [_meant(setup, target, rotas, teams) for target in targets]
            if targets and all(who is not None and not who & reachable for who in meant):
                yield Finding(
                    Hole.STEP_REACHES_NOBODY,
                    f"policy:{policy.id}:step:{number}",
                    Gravity.CRITICAL,
                    f"Step {number + 1} of “{policy.name}” reaches nobody: whomever it could mean"
                    " is deactivated or cannot be paged, or there is nobody.",
                    "Give it a target that is somebody, or give these people rules that page.",
                    link,
                )


def _meant(
    setup: SetUp, target: Target, rotas: Mapping[int, Rota], teams: Mapping[int, Crew]
) -> set[int] | None:
    """Whom it may mean in the days ahead; None where that depends on the incident."""
    if target.kind is TargetKind.ADMINS:
        return set(setup.admins)
    if target.schedule_id is not None:
        rota = rotas.get(target.schedule_id)
        return {one for each in rota.stretches for one in each.people} if rota else set()
    if target.team_id is not None:
        team = teams.get(target.team_id)
        return set(team.members) if team else set()
    if target.user_id is not None:
        return {target.user_id}
    return set(target.user_ids) or None


def _services(setup: SetUp) -> Iterator[Finding]:
    for service in setup.services:
        mine = [one for one in setup.policies if _may_be_for(one, service)]
        link = f"/v1/services/{service.id}"
        if not mine:
            yield Finding(
                Hole.SERVICE_WITHOUT_POLICY,
                f"service:{service.id}",
                Gravity.WARNING,
                f"No active policy is for the service “{service.name}”: its incidents page the"
                " fallback only.",
                "Pin a policy to it, or make one whose conditions match.",
                link,
            )
        if service.schedule_id is None and any(_wants_on_call(one) for one in mine):
            yield Finding(
                Hole.SERVICE_WITHOUT_SCHEDULE,
                f"service:{service.id}",
                Gravity.CRITICAL,
                f"The service “{service.name}” has no schedule, and a policy that may be for it"
                " pages whoever is on call for the service.",
                "Give the service a schedule.",
                link,
            )


def _may_be_for(policy: Policy, service: ServiceSetUp) -> bool:
    if service.policy_id is not None:
        return service.policy_id == policy.id
    return _may_name(policy.conditions.get("service"), service.name)


def _may_name(wanted: Any, name: str) -> bool:
    """Whether what is wanted of a service may hold for this one; in doubt it may."""
    match wanted:
        case str():
            return wanted == name
        case list():
            return name in wanted
        case {"in": list() as names}:
            return name in names
        case {"not_in": list() as names}:
            return name not in names
    return True


def _wants_on_call(policy: Policy) -> bool:
    of_service = {TargetKind.ON_CALL, TargetKind.NEXT_ON_CALL} & ON_DUTY
    return any(target.kind in of_service for target in _all_targets(policy))


# --- What else is to be heard of


def _others(setup: SetUp) -> Iterable[Finding]:
    for calendar in setup.calendars:
        rest = (
            "Its last good copy counts."
            if calendar.was_read
            else "It was never read, so it says nothing to the schedules that follow it."
        )
        yield Finding(
            Hole.CALENDAR_FAILS,
            f"calendar:{calendar.id}",
            Gravity.WARNING,
            f"The calendar “{calendar.name}” cannot be read since"
            f" {calendar.since:%Y-%m-%d %H:%M} UTC: {calendar.error} {rest}",
            "Correct its URL or what it says, and have it fetched again.",
            f"/v1/calendars/{calendar.id}",
        )
    for monitor in setup.monitors:
        yield Finding(
            Hole.HEARTBEAT_NEVER_CAME,
            f"heartbeat:{monitor.id}",
            Gravity.NOTE,
            f"The heartbeat “{monitor.name}” was never pinged, so its silence says nothing.",
            "Have the job ping its URL, or delete it.",
            f"/v1/heartbeats/{monitor.id}",
        )
