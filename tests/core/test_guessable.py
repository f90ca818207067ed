"""What somebody would guess, and that nothing drawn at random is taken for it."""

import random
import string

import pytest

from app.core.guessable import is_guessable_key, is_guessable_password


@pytest.mark.parametrize(
    "key",
    [
        "a" * 40,
        "0" * 31 + "1",
        "changeme" * 4,
        "Change-Me-Change-Me-Change-Me-now!",
        "your-secret-key-goes-here-and-is-long",
        "0123456789abcdef0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "zyxwvutsrqponmlkjihgfedcbazyxwvutsrq",
        "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
        "12345678901234567890123456789012345",
        "this is a placeholder, replace it soon",
        "k3F9vQ7m" * 4,
        "k3F9vQ7mZx2LrT8w" * 2 + "k3F9",
    ],
)
def test_a_key_that_somebody_wrote_can_be_guessed(key: str) -> None:
    assert is_guessable_key(key)


@pytest.mark.parametrize(
    "alphabet", [string.ascii_letters + string.digits + "-_", "0123456789abcdef"]
)
def test_no_drawn_key_is_taken_for_one(alphabet: str) -> None:
    draw = random.Random(4711)
    for _ in range(2_000):
        assert not is_guessable_key("".join(draw.choices(alphabet, k=32)))


@pytest.mark.parametrize(
    "password",
    [
        *("password1234", "Password-2026!", "changeme1234", "AdminAdmin12", "tocsin-admin-1"),
        *("123456789012", "abcdefghijklm", "qwertyuiopas", "aaaaaaaaaaaa", "lkjhgfdsapoiuy"),
        *("correct horse battery staple", "P@ssw0rd2026", "letmein letmein", "xyzzyxyzzyxyzzy"),
    ],
)
def test_a_password_that_everybody_tries_is_known(password: str) -> None:
    assert is_guessable_password(password)


@pytest.mark.parametrize(
    "password",
    ["my admin fox 12", "Vj3-mandolin-fog", "passwords are for foxes", "dreizehn blaue Fische"],
)
def test_a_password_may_hold_a_word(password: str) -> None:
    assert not is_guessable_password(password)


def test_no_drawn_password_is_taken_for_one() -> None:
    draw = random.Random(4711)
    alphabet = string.ascii_letters + string.digits
    for _ in range(2_000):
        assert not is_guessable_password("".join(draw.choices(alphabet, k=12)))
