"""Passwords: kept as hashes, told apart to the last byte, and never a way to find accounts."""

import threading
from typing import Any

import pytest

from app.core.security import LONGEST_PASSWORD, Passwords

passwords = Passwords(rounds=4)


async def test_a_password_opens_its_own_hash() -> None:
    hashed = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", hashed)


@pytest.mark.parametrize("other", ["", "Correct horse", "correct horse ", " correct horse", "x"])
async def test_no_other_password_opens_it(other: str) -> None:
    assert not await passwords.verify(other, await passwords.hash("correct horse"))


async def test_a_hash_says_nothing_of_its_password() -> None:
    first, second = [await passwords.hash("correct horse") for _ in range(2)]
    assert first != second
    assert "correct horse" not in first


@pytest.mark.parametrize("letter", ["a", "ü", "🔥"])
async def test_what_follows_the_72nd_byte_counts(letter: str) -> None:
    hashed = await passwords.hash(letter * 100)
    assert await passwords.verify(letter * 100, hashed)
    assert not await passwords.verify(letter * 99 + "b", hashed)
    assert not await passwords.verify(letter * 99, hashed)


@pytest.mark.parametrize("impossible", ["correct\x00horse", "\x00", "\ud800"])
async def test_what_can_be_no_password_is_wrong_like_any_other(impossible: str) -> None:
    assert not await passwords.verify(impossible, await passwords.hash("correct"))
    assert not await passwords.verify(impossible, None)


async def test_a_password_may_have_4096_bytes() -> None:
    longest = "x" * LONGEST_PASSWORD
    hashed = await passwords.hash(longest)
    assert await passwords.verify(longest, hashed)
    for endless in (longest + "x", "ü" * LONGEST_PASSWORD):
        assert not await passwords.verify(endless, hashed)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The hash and the thread of every check that was paid for."""
    paid: list[tuple[str, int]] = []
    verify = passwords._context.verify

    def count(password: str, hashed: str) -> Any:
        paid.append((hashed, threading.get_ident()))
        return verify(password, hashed)

    monkeypatch.setattr(passwords._context, "verify", count)
    return paid


async def test_an_account_that_is_unknown_costs_a_check_of_the_same_price(
    verified: list[tuple[str, int]],
) -> None:
    hashed = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", hashed)
    assert not await passwords.verify("correct horse", None)
    (known, _), (nobody, _) = verified
    assert known == hashed
    assert nobody.split("$")[:3] == known.split("$")[:3]  # the same scheme and rounds


async def test_passwords_are_checked_off_the_event_loop(verified: list[tuple[str, int]]) -> None:
    await passwords.verify("correct horse", None)
    ((_, thread),) = verified
    assert thread != threading.get_ident()


async def test_nobody_knows_the_password_of_an_unknown_account() -> None:
    assert not await passwords.verify("", None)
    assert Passwords(rounds=4)._nobody != passwords._nobody
