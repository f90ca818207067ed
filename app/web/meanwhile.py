"""Nobody's change is written over: a form says which revision it was opened with, and is refused
if another one stands there by the time it is sent. What was typed stays in the form.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from app.web.forms import FormFault

FIELD = "_revision"
CHANGED = (
    "Somebody changed this while you wrote. Open it in another tab, and put what you wrote into"
    " what it says now."
)


class Revised(Protocol):
    @property
    def revision(self) -> Any: ...


def seen(row: Revised) -> dict[str, str]:
    """What a form carries that shows this row as it is."""
    return {FIELD: str(row.revision)}


def require_same(given: Mapping[str, Any], held: Revised) -> None:
    """Before anything is written: the row, held until commit, is the one that was shown."""
    if (was := given.get(FIELD)) and was != str(held.revision):
        raise FormFault({}, {"": CHANGED})


def require_next(given: Mapping[str, Any], written: Revised) -> None:
    """After it was written, in the same transaction: nothing came in between.

    For rows whose service takes other locks first. Writing raises the revision by one, or not at
    all where it changes nothing; whoever wrote what stands there already harms nobody.
    """
    was = str(given.get(FIELD, ""))
    is_number = was.isascii() and was.isdigit()
    if was and not (is_number and written.revision - int(was[:18]) in (0, 1)):
        raise FormFault({}, {"": CHANGED})
