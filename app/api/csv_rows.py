"""CSV as RFC 4180 has it, safe to open: no cell is a formula.

A spreadsheet runs what begins with one of a few characters, whoever wrote it. Such a text gets an
apostrophe before it, which spreadsheets take for “this is text”.
"""

import csv
import io
import json
from collections.abc import Iterable

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def lines(rows: Iterable[Iterable[object]]) -> str:
    """These rows, each a line that ends in CRLF."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [cell(value) for value in row] for row in rows
    )
    return text.getvalue()


def cell(value: object) -> str:
    """A value as a cell: JSON for what is no text or number, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) else text
