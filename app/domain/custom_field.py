"""Fields of an incident that an installation adds for itself, and what each may hold."""

from enum import StrEnum


class FieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"  # YYYY-MM-DD
    URL = "url"
    SELECT = "select"  # one of its options
    MULTI_SELECT = "multi_select"  # any of its options
