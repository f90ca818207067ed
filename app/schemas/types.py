"""Types that several shapes share: bounded, printable, canonical."""

from typing import Annotated
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from app.domain.incident import Severity, read_severity


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no text") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
Title = Annotated[Text, Field(min_length=1, max_length=255)]
LongText = Annotated[Text, Field(max_length=10_000)]
Comment = Annotated[Text, Field(min_length=1, max_length=10_000)]
ServiceName = Annotated[Text, Field(min_length=1, max_length=100)]
Tag = Annotated[Text, Field(min_length=1, max_length=100)]
LabelName = Annotated[Text, Field(min_length=1, max_length=100)]
LabelText = Annotated[Text, Field(max_length=1000)]
Labels = Annotated[dict[LabelName, LabelText], Field(max_length=64)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
Password = Annotated[Text, Field(min_length=8, max_length=200)]
# PostgreSQL's bigint; beyond it there is nothing to find.
Key = Annotated[int, Field(ge=1, le=2**63 - 1)]


def _severity(word: object) -> object:
    if isinstance(word, str):
        return read_severity(word) or word
    return word


SeverityWord = Annotated[
    Severity,
    BeforeValidator(_severity),
    WithJsonSchema(
        {
            "type": "string",
            "enum": [severity.value for severity in Severity],
            "description": "Also understood: SEV1-SEV4, P1-P4, and tools' words such as error, "
            "warning and info, in any case.",
        },
        mode="validation",
    ),
]


def _email(text: str) -> str:
    """An address that mail could go to; names of one's own network are welcome."""
    try:
        checked = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"is no mail address: {error}") from None
    return str(checked.normalized)


EmailAddress = Annotated[
    Text,
    Field(max_length=255, json_schema_extra={"format": "email"}, examples=["ana@example.org"]),
    AfterValidator(_email),
]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is no IANA time zone, such as Europe/Berlin") from None
    return name


TimeZone = Annotated[Text, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_zone)]


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return text


HttpUrl = Annotated[
    Text,
    Field(max_length=2000, examples=["https://grafana.example.org/d/db"]),
    AfterValidator(_http_url),
]
