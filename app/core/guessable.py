"""Secrets that somebody would guess: what documentation shows, and what fingers type."""

import re

FEWEST_IN_A_KEY = 8  # different characters; of 32 random hexadecimal digits about fourteen are
FEWEST_IN_A_PASSWORD = 5
PLACEHOLDERS = (
    *("changeme", "changethis", "changeit", "replaceme", "replacethis", "yoursecret", "secretkey"),
    *("yourkey", "placeholder", "example", "insecure", "notasecret", "password", "hunter2"),
)
# A password may hold such a word; one of nothing but these, digits and marks is no password.
WELL_KNOWN = re.compile(
    "administrator|changethis|changeme|password|passwort|iloveyou|trustno1|p@ssw0rd|passw0rd"
    "|battery|correct|default|example|letmein|welcome|change|hunter|master|qwerty|qwertz|secret"
    "|staple|tocsin|admin|horse|login|pass|root|test|user|me|[^a-z]"
)
RUNS = (
    "abcdefghijklmnopqrstuvwxyz" * 3,
    "0123456789abcdefghijklmnopqrstuvwxyz" * 3,
    "0123456789" * 7,
    "1234567890" * 7,
    "qwertyuiopasdfghjklzxcvbnm" * 3,
    "qwertzuiopasdfghjklyxcvbnm" * 3,
)


def is_guessable_key(key: str) -> bool:
    """Whether a key was written by hand rather than drawn."""
    bare = re.sub("[^a-z0-9]", "", key.lower())
    return (
        len(set(key)) < FEWEST_IN_A_KEY
        or _repeats(key)
        or _runs(bare)
        or any(word in bare for word in PLACEHOLDERS)
    )


def is_guessable_password(password: str) -> bool:
    """Whether a password is among the first that anybody would try."""
    known = password.lower()
    return (
        len(set(known)) < FEWEST_IN_A_PASSWORD
        or _repeats(known)
        or _runs(known)
        or not WELL_KNOWN.sub("", known)
    )


def _repeats(text: str) -> bool:
    """Whether it is one shorter text, over and over."""
    return any(text.startswith(text[size:]) for size in range(1, len(text) // 2 + 1))


def _runs(text: str) -> bool:
    """Whether it is the alphabet, the digits or the keyboard, to and fro."""
    return any(text in run or text in run[::-1] for run in RUNS)
