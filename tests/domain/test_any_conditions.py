"""Whatever is saved as conditions: it is refused with words, or it can be kept and evaluated."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.conditions import DEEPEST, WEEKDAYS, Attributes, faults, holds
from app.domain.incident import Severity

QUICK = settings(derandomize=True, max_examples=100, deadline=None, database=None)

ANY_TEXT = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=12),
    st.sampled_from(["", "\x00", "\ud800", "high", "SEV1", "(a+)+$", "[", r"\C", "db", "09:00"]),
)
ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), ANY_TEXT, st.sampled_from(WEEKDAYS)
)
KEYS = st.one_of(
    st.sampled_from(["severity", "service", "source", "tags", "title", "labels.a", "time"]),
    st.sampled_from(["all", "any", "not", "in", "not_in", "contains", "matches", "exists"]),
    st.sampled_from(["between", "zone", "days", "labels.", "__class__", "labels.a.b"]),
    ANY_TEXT,
)
ANY_JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=20,
)

WORDS = st.sampled_from(["database", "web", "Disk full", "storage", "a.b", "ü", "", "\ufffd"])
WORD_LISTS = st.lists(WORDS, min_size=1, max_size=3)
OPERATORS = st.dictionaries(st.sampled_from(["in", "not_in"]), WORD_LISTS, min_size=1) | st.one_of(
    st.fixed_dictionaries({"contains": WORDS.filter(bool)}),
    st.fixed_dictionaries(
        {"matches": st.sampled_from(["(a+)+$", "^.*$", r"\C", r"\pL", "(?i)DISK", "x{0}", "|"])}
    ),
    st.fixed_dictionaries({"exists": st.booleans()}),
)
WANTED = WORDS | WORD_LISTS | OPERATORS
SEVERITIES = st.sampled_from(["high", "P1", "warning", "SEV-4"])
WINDOWS = st.fixed_dictionaries(
    {
        "between": st.lists(
            st.times().map(lambda time: time.isoformat()), min_size=2, max_size=2, unique=True
        )
    },
    optional={
        "zone": st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"]),
        "days": st.lists(st.sampled_from(WEEKDAYS), min_size=1),
    },
)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "severity": SEVERITIES | st.lists(SEVERITIES, min_size=1),
        **dict.fromkeys(("service", "source", "tags", "title", "labels.a.b"), WANTED),
        "time": WINDOWS,
    },
)
SOUND = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "all": st.lists(inner, min_size=1, max_size=2),
            "any": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "source": WANTED,
        },
    ),
    max_leaves=6,
)

VALUES = ANY_TEXT | WORDS
SUBJECTS = st.builds(
    Attributes,
    severity=st.sampled_from(Severity),
    service=VALUES,
    title=VALUES,
    source=st.none() | VALUES,
    tags=st.lists(VALUES, max_size=3).map(tuple),
    labels=st.dictionaries(st.sampled_from(["a", "a.b", ""]), VALUES),
)
START = datetime(2000, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(), timedelta(days=36_500)).map(START.__add__)


@QUICK
@given(ANY_JSON)
def test_no_document_breaks_the_check(document: Any) -> None:
    for fault in faults(document):
        assert fault.path.startswith("conditions")
        assert fault.message


@QUICK
@given(st.dictionaries(KEYS, ANY_JSON, max_size=3), SUBJECTS, INSTANTS)
@example({"title": {"matches": r"\C"}}, Attributes(Severity.LOW, "ü", "\ud800ü"), START)
def test_what_the_check_accepts_can_be_evaluated(
    document: Any, subject: Attributes, now: datetime
) -> None:
    if not faults(document):
        assert holds(document, subject, now=now) in (True, False)


@QUICK
@given(SOUND)
def test_what_makes_sense_is_accepted_and_can_be_kept(conditions: dict[str, Any]) -> None:
    assert faults(conditions) == []
    stored = json.dumps(conditions, ensure_ascii=False)
    stored.encode()
    assert "\\u0000" not in stored
    assert json.loads(stored) == conditions


@QUICK
@given(SOUND, SUBJECTS, INSTANTS)
def test_whatever_makes_sense_holds_or_does_not(
    conditions: dict[str, Any], subject: Attributes, now: datetime
) -> None:
    assert holds(conditions, subject, now=now) in (True, False)


@QUICK
@given(SOUND, SUBJECTS, INSTANTS)
def test_not_is_always_the_opposite(
    conditions: dict[str, Any], subject: Attributes, now: datetime
) -> None:
    plain = holds(conditions, subject, now=now)
    assert holds({"not": conditions}, subject, now=now) is not plain


@QUICK
@given(st.lists(SOUND, min_size=1, max_size=4), SUBJECTS, INSTANTS)
def test_all_and_any_are_and_and_or(
    parts: list[dict[str, Any]], subject: Attributes, now: datetime
) -> None:
    each = [holds(part, subject, now=now) for part in parts]
    assert holds({"all": parts}, subject, now=now) is all(each)
    assert holds({"any": parts}, subject, now=now) is any(each)


@QUICK
@given(LEAVES, SUBJECTS, INSTANTS)
def test_the_keys_of_an_object_are_an_and(
    conditions: dict[str, Any], subject: Attributes, now: datetime
) -> None:
    each = [holds({key: wanted}, subject, now=now) for key, wanted in conditions.items()]
    assert holds(conditions, subject, now=now) is all(each)


@QUICK
@given(WORD_LISTS, SUBJECTS, INSTANTS)
def test_not_in_is_the_opposite_of_in(words: list[str], subject: Attributes, now: datetime) -> None:
    for key in ("service", "source", "tags", "title", "labels.a.b"):
        is_in = holds({key: {"in": words}}, subject, now=now)
        assert holds({key: {"not_in": words}}, subject, now=now) is not is_in
        assert holds({key: words}, subject, now=now) is is_in


@QUICK
@given(ANY_JSON, st.integers(0, 3 * DEEPEST))
def test_any_depth_of_anything_is_refused_with_words(document: Any, depth: int) -> None:
    for _ in range(depth):
        document = {"any": [document]}
    found = faults(document)
    assert found or depth <= DEEPEST
