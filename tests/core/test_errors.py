"""Refusals carry a code for programs and a sentence for people."""

import pytest

from app.core import errors
from app.core.errors import ConflictError, NotFoundError, SetupError, TocsinError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


def test_what_is_not_found_is_named_in_the_code_and_in_the_sentence() -> None:
    error = NotFoundError("status page", 7)
    assert (error.code, error.message) == ("STATUS_PAGE_NOT_FOUND", "There is no status page 7.")


def test_naming_one_thing_does_not_rename_the_kind() -> None:
    NotFoundError("policy", 7)
    assert NotFoundError.code == "NOT_FOUND"


def test_details_are_for_programs() -> None:
    error = ConflictError("It is taken.", field="name", holder=3)
    assert (str(error), error.details) == ("It is taken.", {"field": "name", "holder": 3})


def test_every_kind_of_refusal_has_its_own_code() -> None:
    codes = [kind.code for kind in KINDS if issubclass(kind, TocsinError)]
    assert len(set(codes)) == len(codes)


def test_a_service_that_cannot_start_is_no_refusal() -> None:
    with pytest.raises(SetupError, match="no such folder"):
        raise SetupError("There is no such folder.")
    assert not issubclass(SetupError, TocsinError)
