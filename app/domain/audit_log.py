"""What the audit log says of a change: who did what to which thing, and what it was before.

A secret never gets this far: of a column that holds one, the log says that it changed and
nothing else. What people write may still carry one by accident (a password in a URL, a token in
a comment), so every text is cleaned before it is kept, and cut where it is long.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

LEFT_OUT = "(secret)"
LONGEST_TEXT = 2_000
# What the database itself refuses to forget, whatever anybody asks it to.
KEPT_AT_LEAST = timedelta(days=30)


class ActorKind(StrEnum):
    """Who did it, roughly."""

    USER = "user"  # somebody who had logged in, or followed a link that only they got
    API_KEY = "api_key"  # a program, with a key of somebody's
    ANONYMOUS = "anonymous"  # nobody we know: a failed login, a signup
    SYSTEM = "system"  # a command on the machine itself


Changes = dict[str, dict[str, Any]]  # by column: {"before": …, "after": …}

# `scheme://user:password@` of a URL, and what follows its question mark.
_USER_INFO = re.compile(r"(?<=://)[^\s/?#@\"'<>]{1,300}@")
_QUERY = re.compile(r"(?<=[^\s])(://[^\s?#\"'<>]{1,2000})\?[^\s#\"'<>]+")
# What we hand out ourselves, and what is sent in an Authorization header.
_TOKENS = re.compile(
    r"\b(?:toc|tik|trt)_[A-Za-z0-9_-]{8,}|\bwhsec_[A-Za-z0-9+/=]{8,}"
    r"|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
)
_HEADER = re.compile(
    r"(\bBearer|\bAuthorization[\"']?\s?[:=]\s?[\"']?\w{1,20})\s+[A-Za-z0-9._~+/=-]{8,}",
    re.IGNORECASE,
)


def cleaned(text: str) -> str:
    """The text without the secrets that are known by their looks, and not too long."""
    text = _USER_INFO.sub(f"{LEFT_OUT}@", text)
    text = _QUERY.sub(rf"\1?{LEFT_OUT}", text)
    text = _HEADER.sub(rf"\1 {LEFT_OUT}", text)
    text = _TOKENS.sub(LEFT_OUT, text)
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}… ({len(text):,} characters)"


def place(address: str) -> str:
    """Where an address leads: of a URL its scheme and host, because its path may be a secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}/…" if parts.hostname else cleaned(address)


def shown(value: object) -> Any:
    """A value in JSON, cleaned."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {cleaned(str(name)): shown(held) for name, held in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [shown(held) for held in value]
    return LEFT_OUT if isinstance(value, bytes) else cleaned(str(value))


def cut(text: str | None, length: int) -> str | None:
    return text[:length] if text else None
