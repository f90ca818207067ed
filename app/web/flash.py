"""What a page says in passing: a toast, by the redirect that follows a form or beside a part.

It may offer to undo what was just done. A browser's cookie says which of the known ways that is,
and of what; never an address, so that whoever plants a cookie has no form of theirs on the page.
"""

import base64
import json
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.core.paging import BIGGEST_KEY

COOKIE = "tocsin-said"  # holds a sentence and no secret
LIFE = 60  # seconds: it is shown by the very next page
LONGEST = 500


class Undo(StrEnum):
    """What can be undone, each with the form that does it."""

    RESOLVED = "resolved"
    SNOOZED = "snoozed"
    DELETED = "deleted"
    TAKEN = "taken"  # the pager


_WAYS = {
    Undo.RESOLVED: ("/incidents/{}/reopen", "Reopen"),  # which begins its policies anew
    Undo.SNOOZED: ("/incidents/{}/wake", "Undo"),
    Undo.DELETED: ("/incidents/{}/restore", "Undo"),
    Undo.TAKEN: ("/schedules/{}/give-back", "Undo"),
}


@dataclass(frozen=True)
class Said:
    """A sentence; and, if that can be, the form that takes back what it tells of."""

    words: str
    action: str | None = None
    verb: str = ""


def back(
    request: Request, to: str, said: str | None = None, *, undo: tuple[Undo, int] | None = None
) -> Response:
    """Go to the page at `to`, which says `said` in a toast, and offers to undo it."""
    answer: Response
    if "hx-request" in request.headers:
        answer = Response(status_code=204, headers={"HX-Redirect": quote(to, safe="/?&=#%:+,;~")})
    else:
        answer = RedirectResponse(to, 303)
    if said is not None:
        told = json.dumps([said[:LONGEST], *(undo or ())])
        sentence = base64.urlsafe_b64encode(told.encode()).decode()
        answer.set_cookie(COOKIE, sentence, max_age=LIFE, httponly=True, samesite="lax")
    return answer


def say(answer: Response, said: str) -> Response:
    """Let an answer to htmx say something in a toast, beside what it brings."""
    told = {"toast": {"text": said[:LONGEST]}}
    answer.headers["HX-Trigger"] = json.dumps(told)  # ASCII, as headers are
    return answer


def said(request: Request) -> Said | None:
    """What the page before this one wants to be said."""
    raw = request.cookies.get(COOKIE)
    if raw is None or len(raw) > 10 * LONGEST:
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(raw))
    except (ValueError, RecursionError):
        return None
    match told:
        case [str(words), str(kind), int(key)] if kind in set(Undo) and 0 < key <= BIGGEST_KEY:
            address, verb = _WAYS[Undo(kind)]
            return Said(words[:LONGEST], address.format(key), verb)
        case [str(words)]:
            return Said(words[:LONGEST])
        case _:
            return None
