"""The two laws of what the public is told: no walk that updates can take leaves them."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import public_incident, public_maintenance
from app.domain.public_incident import PublicStatus
from app.domain.public_maintenance import MaintenanceStatus
from app.domain.public_update import UpdateStatus

QUICK = settings(derandomize=True, max_examples=200, deadline=None, database=None)


def test_the_law_is_the_design() -> None:
    assert {
        status.value: {after.value for after in allowed}
        for status, allowed in public_incident.TRANSITIONS.items()
    } == {
        "investigating": {"identified", "monitoring", "resolved"},
        "identified": {"monitoring", "resolved"},
        "monitoring": {"resolved"},
        "resolved": {"investigating"},
    }


@QUICK
@given(st.lists(st.sampled_from(PublicStatus), max_size=30))
def test_the_only_way_back_is_to_reopen(wanted: list[PublicStatus]) -> None:
    order = list(PublicStatus)
    status, seen = PublicStatus.INVESTIGATING, [PublicStatus.INVESTIGATING]
    for one in wanted:
        if public_incident.may_become(status, one):
            status = one
            seen.append(one)
    for before, after in itertools.pairwise(seen):
        is_reopened = (before, after) == (PublicStatus.RESOLVED, PublicStatus.INVESTIGATING)
        assert order.index(after) >= order.index(before) or is_reopened


@QUICK
@given(st.lists(st.sampled_from(MaintenanceStatus), max_size=30))
def test_what_is_completed_stays_so(wanted: list[MaintenanceStatus]) -> None:
    status = MaintenanceStatus.SCHEDULED
    for one in wanted:
        was = status
        if public_maintenance.may_become(status, one):
            status = one
        if was is MaintenanceStatus.COMPLETED:
            assert status is was
        if was is not MaintenanceStatus.SCHEDULED:
            assert status is not MaintenanceStatus.SCHEDULED


def test_every_status_is_a_status_of_an_update() -> None:
    told = {status.value for status in UpdateStatus}
    assert told == {one.value for kind in (PublicStatus, MaintenanceStatus) for one in kind}
