"""Types that several shapes share: bounded, printable, canonical."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Secret,
    StringConstraints,
)

from app.core.paging import BIGGEST_KEY
from app.domain.incident import Severity, read_severity
from app.domain.time_zone import is_time_zone


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no text") from None
    return text


# A bound comes before it in each of these: only then does a fault speak of characters.
Storable = AfterValidator(_storable)

Title = Annotated[str, Field(min_length=1, max_length=255), Storable]
LongText = Annotated[str, Field(max_length=10_000), Storable]
Comment = Annotated[str, Field(min_length=1, max_length=10_000), Storable]
PageMessage = Annotated[str, Field(min_length=1, max_length=2000), Storable]
ServiceName = Annotated[str, Field(min_length=1, max_length=100), Storable]
Tag = Annotated[str, Field(min_length=1, max_length=100), Storable]
LabelName = Annotated[str, Field(min_length=1, max_length=100), Storable]
LabelText = Annotated[str, Field(max_length=1000), Storable]
Labels = Annotated[dict[LabelName, LabelText], Field(max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=100), Storable]
LongName = Annotated[str, Field(min_length=1, max_length=255), Storable]
Phone = Annotated[str, Field(max_length=50), Storable]
LoginName = Annotated[str, Field(max_length=255), Storable]
# The blanks around a password are part of it.
_SECRET = Field(json_schema_extra={"format": "password", "writeOnly": True})
Password = Annotated[
    Secret[
        Annotated[
            str, StringConstraints(strip_whitespace=False, min_length=8, max_length=200), Storable
        ]
    ],
    _SECRET,
]
GivenPassword = Annotated[
    Secret[Annotated[str, StringConstraints(strip_whitespace=False, max_length=1000)]], _SECRET
]
# What we handed out ourselves; anything longer is not ours.
Token = Annotated[str, Field(min_length=1, max_length=200), Storable]


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


# Python would take true and "1" for numbers. (Strictness would refuse 1.0, which is whole.)
NumberOnly = BeforeValidator(_number)


def _written_day(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("write the day as year-month-day, such as 2026-12-01")
    if not isinstance(value, (str, date)):
        raise ValueError("a day is a text, such as 2026-12-01")
    return value


# Without this a number is taken for seconds since 1970.
Day = Annotated[date, BeforeValidator(_written_day)]
# PostgreSQL's bigint; beyond it there is nothing to find.
Key = Annotated[int, Field(ge=1, le=BIGGEST_KEY), NumberOnly]
# Not what else Python would take for one: 0, "off", "no".
Flag = Annotated[bool, Field(strict=True)]


def _severity(word: object) -> object:
    if isinstance(word, str):
        return read_severity(word) or word
    return word


SeverityWord = Annotated[
    Severity,
    BeforeValidator(_severity),
    Field(
        description="Also understood: SEV1-SEV4, P1-P4, and tools' words such as error, warning and"
        " info, in any case."
    ),
]


# A network of one's own has mail, too; the library's documented way to allow its names.
SPECIAL_USE_DOMAIN_NAMES[:] = ["arpa", "invalid", "onion"]


def _email(text: str) -> str:
    """An address that mail could go to; names of one's own network are welcome."""
    try:
        checked = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"is no mail address: {error}") from None
    return str(checked.normalized)


EmailAddress = Annotated[
    str,
    Field(max_length=255, json_schema_extra={"format": "email"}, examples=["ana@example.org"]),
    Storable,
    AfterValidator(_email),
]


def _zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("is no IANA time zone, such as Europe/Berlin")
    return name


TimeZone = Annotated[
    str,
    Field(
        max_length=64,
        examples=["Europe/Berlin"],
        json_schema_extra={"format": "iana-time-zone"},
    ),
    Storable,
    AfterValidator(_zone),
]


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    try:
        parts = urlsplit(text)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not text.isprintable() or " " in parts.netloc:
        raise ValueError("is no web address, such as https://example.org/path")
    return text


HttpUrl = Annotated[
    str,
    Field(
        max_length=2000,
        json_schema_extra={"format": "uri"},
        examples=["https://grafana.example.org/d/db"],
    ),
    Storable,
    AfterValidator(_http_url),
]


DEEPEST_DOCUMENT = 32


def _bounded(document: dict[str, Any]) -> dict[str, Any]:
    """Free JSON, no deeper than it can be written again; what it means is checked elsewhere."""
    layer: list[Any] = [document]
    for _ in range(DEEPEST_DOCUMENT):
        layer = [part for value in layer for part in _parts(value)]
    if layer:
        raise ValueError(f"is nested deeper than {DEEPEST_DOCUMENT} levels")
    return document


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


Document = Annotated[dict[str, Any], AfterValidator(_bounded)]
