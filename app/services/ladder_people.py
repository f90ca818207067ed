"""Whom the steps of one batch want: looked up once, and told for each step.

People who are on call are asked for at the batch's own instant, when its pages are made and not
when its steps were due. Only steps that name schedules, teams or turns cost the statements that
these need. Whose turn it is, is decided where the step is taken: the turn moves with its commit
or not at all.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from app.crud import crud_incident, crud_round_robin, crud_target, crud_user
from app.crud.crud_escalation import Due, DueIncident
from app.db.session import WriteSession
from app.domain import escalation
from app.domain.duty import Duty, Meant
from app.domain.escalation import Assign, EscalationStatus, Ladder, Notify, Step
from app.domain.notification import Recipient, Skipped
from app.domain.target import ON_DUTY, Target, TargetKind, whose_turn

# A target that means other people for every incident is looked up with the incident.
Whom = Target | tuple[int, TargetKind]
# Who had the last turn of each ring in a rehearsal, which must neither move nor hold any.
Rehearsed = MutableMapping[str, int]


# Why nothing would reach somebody; empty if something does.
WhyNot = Callable[[Recipient], Sequence[Skipped]]


@dataclass(frozen=True)
class Turn:
    """Whose turn it is, and who was passed over because nothing would have reached them."""

    user_id: int | None = None
    passed: Sequence[Skipped] = ()


@dataclass
class Turns:
    """Whose turn it is in each ring, as the batch goes on.

    A step has one answer: its pages and whom it assigns are the same person.
    """

    last: dict[str, int | None]
    taken: dict[str, tuple[int, int]] = field(default_factory=dict)
    chosen: dict[tuple[int, str], Turn] = field(default_factory=dict)

    def choose(
        self, step: int, target: Target, people: Collection[Recipient], why_not: WhyNot
    ) -> Turn:
        """Whose turn it is for a step, by a number that is its own in this batch.

        Who is deactivated or cannot be reached is passed over. If that is everybody, it stays the
        turn of the first who is active: nobody is paged, and the step says why.
        """
        asked = step, target.ring
        if asked not in self.chosen:
            self.chosen[asked] = self._choose(target, people, why_not)
        return self.chosen[asked]

    def _choose(self, target: Target, people: Collection[Recipient], why_not: WhyNot) -> Turn:
        last, is_team = self.last.get(target.ring), target.team_id is not None
        known = {person.user_id: person for person in people}
        active: list[int] = []
        passed: list[Skipped] = []
        for user_id in whose_turn(list(known), last, is_team=is_team):
            person = known[user_id]
            reasons = why_not(person)
            if person.is_active and not reasons:
                self.last[target.ring] = user_id
                self.taken[target.ring] = user_id, self.taken.get(target.ring, (0, 0))[1] + 1
                return Turn(user_id, passed)
            passed += reasons
            active += [user_id] if person.is_active else []
        return Turn(active[0] if active else None, passed)


@dataclass(frozen=True)
class People:
    """Everybody whom a batch may want or name."""

    by_target: Mapping[Whom, Collection[Recipient]]
    by_id: Mapping[int, Recipient]
    duty: Duty
    turns: Turns

    def name(self, user_id: int | None) -> str | None:
        person = self.by_id.get(user_id or 0)
        return person.name if person is not None else None

    def recipients(self, target: Target, due: Due) -> Collection[Recipient]:
        """Whom a target of the step means that is due."""
        if target.kind not in ON_DUTY:
            key = due.incident.id, target.kind
            return self.by_target.get(target) or self.by_target.get(key) or ()
        people = self._known(self.meant(target, due))
        if target.kind is not TargetKind.ROUND_ROBIN:
            return people
        turn = self.turns.chosen.get((due.escalation.id, target.ring), Turn())
        return [person for person in people if person.user_id == turn.user_id]

    def take_turns(
        self, step: Step, due: Due, incident: DueIncident, *, due_at: datetime
    ) -> list[Skipped]:
        """Decide whose turn it is for the step that is due, before anybody asks whom it means;
        who was passed over."""
        passed: dict[Skipped, None] = {}
        for target in targets_of(step):
            if target.kind is TargetKind.ROUND_ROBIN:
                why_not = partial(
                    escalation.out_of_reach,
                    step,
                    target,
                    severity=incident.severity,
                    due_at=due_at,
                    urgency=incident.urgency,
                )
                people = self._known(self.meant(target, due))
                turn = self.turns.choose(due.escalation.id, target, people, why_not)
                passed |= dict.fromkeys(turn.passed)
        return list(passed)

    def meant(self, target: Target, due: Due) -> Meant:
        """Through which schedule or team that is, or why it is nobody."""
        return self.duty.meant(target, due.incident.service)

    def vacancies(self, step: Step, due: Due) -> list[str]:
        """Of each target of a step that means nobody, why; each reason once."""
        found: dict[str, None] = {}
        for target in targets_of(step):
            if target.kind in ON_DUTY and not self.recipients(target, due):
                why = self.meant(target, due).why
                found[why or "Of those who take turns nobody is active any more."] = None
        return list(found)

    def _known(self, meant: Meant) -> list[Recipient]:
        return [self.by_id[user_id] for user_id in meant.user_ids if user_id in self.by_id]


def targets_of(step: Step) -> Iterator[Target]:
    return (action.target for action in step.actions if isinstance(action, Notify | Assign))


async def people_of(
    session: WriteSession,
    dues: Collection[Due],
    ladders: Mapping[int, Ladder],
    fallback_email: str | None,
    *,
    now: datetime,
    rehearsed: Rehearsed | None = None,
) -> People:
    """Everybody these ladders may want, and whoever the steps that are due want now."""
    distinct = {id(ladder): ladder for ladder in ladders.values()}.values()
    targets = {target for ladder in distinct for target in ladder.targets}
    kinds = {target.kind for target in targets}
    incidents = {due.incident.id: due.incident for due in dues}
    wanted: dict[Whom, list[int]] = {}
    for target in targets:
        if target.user_id is not None:
            wanted[target] = [target.user_id]
    if kinds & {TargetKind.ADMINS, TargetKind.FALLBACK}:
        admins = [user.id for user in await crud_user.active_admins(session)]
        wanted[Target(TargetKind.ADMINS)] = admins
        wanted[Target(TargetKind.FALLBACK)] = (
            await _named_fallback(session, fallback_email) or admins
        )
    if TargetKind.ASSIGNEES in kinds:
        assignees = await crud_incident.assignees(session, incidents.keys())
        for incident_id, users in assignees.items():
            wanted[incident_id, TargetKind.ASSIGNEES] = users
    if TargetKind.CREATOR in kinds:
        for incident in incidents.values():
            if incident.created_by is not None:
                wanted[incident.id, TargetKind.CREATOR] = [incident.created_by]
    duty = Duty(now)
    on_duty = _on_duty(dues, ladders) if kinds & ON_DUTY else []
    if on_duty:
        duty = await crud_target.duty(session, on_duty, at=now)
    named = {user for ids in wanted.values() for user in ids}
    named |= {user for pair in on_duty for user in duty.meant(*pair).user_ids}
    named |= {one.acknowledged_by for one in incidents.values() if one.acknowledged_by is not None}
    found = await crud_user.recipients(session, named)
    by_target = {
        key: [found[user] for user in users if user in found] for key, users in wanted.items()
    }
    turns = await _turns(session, {target for target, _ in on_duty}, now, rehearsed)
    return People(by_target, found, duty, turns)


async def keep_turns(
    session: WriteSession, people: People, rehearsed: Rehearsed | None = None
) -> None:
    """Remember who has had a turn."""
    taken = people.turns.taken
    if rehearsed is not None:
        rehearsed.update((ring, user) for ring, (user, _) in taken.items())
    elif taken:
        await crud_round_robin.move(session, taken)


def _on_duty(dues: Collection[Due], ladders: Mapping[int, Ladder]) -> list[tuple[Target, str]]:
    """What the steps that are due want of schedules and teams, each for its service."""
    found: dict[tuple[Target, str], None] = {}
    for due in dues:
        run, ladder = due.escalation, ladders[due.escalation.id]
        # What its service keeps waiting is only asked again, and takes no step now.
        is_step = (
            run.status is EscalationStatus.ACTIVE
            and run.waits_until is None
            and run.next_step < len(ladder.steps)
        )
        for target in targets_of(ladder.steps[run.next_step]) if is_step else ():
            if target.kind in ON_DUTY:
                found[target, due.incident.service] = None
    return list(found)


async def _turns(
    session: WriteSession,
    targets: Collection[Target],
    now: datetime,
    rehearsed: Rehearsed | None,
) -> Turns:
    rings = {target.ring for target in targets if target.kind is TargetKind.ROUND_ROBIN}
    if not rings:
        return Turns({})
    if rehearsed is None:
        return Turns(await crud_round_robin.hold(session, rings, now=now))
    return Turns({**await crud_round_robin.look(session, rings), **rehearsed})


async def _named_fallback(session: WriteSession, email: str | None) -> list[int]:
    user = await crud_user.by_email(session, email) if email else None
    return [user.id] if user is not None and user.is_active else []
