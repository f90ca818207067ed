"""Who may do what."""

import pytest

from app.domain.user import GRANTS, TOCSIN, Permission, Role, may


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        (Role.ADMIN, {Permission.READ, Permission.RESPOND, Permission.ADMINISTER}),
        (Role.RESPONDER, {Permission.READ, Permission.RESPOND}),
        (Role.VIEWER, {Permission.READ}),
    ],
)
def test_a_role_may_do_what_it_was_granted_and_nothing_else(
    role: Role, granted: set[Permission]
) -> None:
    assert {permission for permission in Permission if may(role, permission)} == granted


def test_no_role_is_left_out_of_the_matrix() -> None:
    assert set(GRANTS) == set(Role)


def test_tocsin_itself_acts_as_nobody() -> None:
    assert TOCSIN.user_id is None
