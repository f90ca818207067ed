"""Whoever adds a table or a column decides what the audit log tells of it."""

from sqlalchemy import inspect

from app.db.base import metadata
from app.models.audit_trail import AUDITED, RECORDED_ELSEWHERE, VERBS

SECRETS = ("hash", "password", "secret", "token")


def test_every_table_is_audited_or_says_why_not() -> None:
    audited = {str(model.__tablename__) for model in AUDITED}
    assert audited & set(RECORDED_ELSEWHERE) == set()
    assert audited | set(RECORDED_ELSEWHERE) == set(metadata.tables)


def test_every_column_of_an_audited_table_is_decided() -> None:
    for model, about in AUDITED.items():
        columns = {column.key for column in inspect(model).column_attrs}
        new = columns - about.columns
        assert new == set(), f"decide about these of {about.resource}"
        named = about.shown | about.places | about.secret | about.quiet
        assert named <= columns, f"{named - columns} of {about.resource} are gone"


def test_what_sounds_secret_is_never_shown() -> None:
    for about in AUDITED.values():
        told = {name for name in about.shown if any(word in name for word in SECRETS)}
        assert told == set()


def test_the_verbs_are_about_columns_that_exist() -> None:
    told = {name for about in AUDITED.values() for name in about.shown | about.secret}
    assert set(VERBS) <= told
