"""Refusals, by kind. Services raise them; the doors turn a kind into their own language.

    TocsinError
    ├── NotFoundError       there is no such thing (or it is not yours to see)
    ├── ConflictError       it clashes with what is there
    ├── ChangedMeanwhileError  somebody else was faster
    ├── InvalidInputError   it cannot be understood or must not be
    ├── InvalidStateError   the thing is in no state for it
    ├── UnauthorizedError   who are you?
    ├── ForbiddenError      not you
    ├── TooManyError        too often; wait
    └── UnavailableError    not now; try again

`code` is stable and machine-readable, the message is for a person and says what to do,
`details` holds JSON for a program.
"""

from typing import Any


class TocsinError(Exception):
    code = "ERROR"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotFoundError(TocsinError):
    code = "NOT_FOUND"

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"There is no {what} {key}.")
        self.code = f"{what.upper().replace(' ', '_')}_NOT_FOUND"


class ConflictError(TocsinError):
    code = "CONFLICT"


class ChangedMeanwhileError(TocsinError):
    """It is no longer what whoever asks has seen."""

    code = "PRECONDITION_FAILED"


class InvalidInputError(TocsinError):
    code = "INVALID_INPUT"


class InvalidStateError(TocsinError):
    code = "INVALID_STATE"


class UnauthorizedError(TocsinError):
    code = "UNAUTHORIZED"


class ForbiddenError(TocsinError):
    code = "FORBIDDEN"


class TooManyError(TocsinError):
    """Too often. `retry_after` says for how many seconds nothing will help."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after: int, **details: Any) -> None:
        super().__init__(message, retry_after=retry_after, **details)
        self.retry_after = retry_after


class UnavailableError(TocsinError):
    code = "UNAVAILABLE"


class SetupError(Exception):
    """The service cannot start as it is set up. The message is one sentence for an operator."""
