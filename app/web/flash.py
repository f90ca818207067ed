"""What a page says in passing: a toast, by the redirect that follows a form or beside a part."""

import base64
import json
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

COOKIE = "tocsin-said"  # holds a sentence and no secret
LIFE = 60  # seconds: it is shown by the very next page
LONGEST = 500


def back(request: Request, to: str, said: str | None = None) -> Response:
    """Go to the page at `to`, which says `said` in a toast."""
    answer: Response
    if "hx-request" in request.headers:
        answer = Response(status_code=204, headers={"HX-Redirect": quote(to, safe="/?&=#%:+,;~")})
    else:
        answer = RedirectResponse(to, 303)
    if said is not None:
        sentence = base64.urlsafe_b64encode(said[:LONGEST].encode(errors="replace")).decode()
        answer.set_cookie(COOKIE, sentence, max_age=LIFE, httponly=True, samesite="lax")
    return answer


def say(answer: Response, said: str) -> Response:
    """Let an answer to htmx say something in a toast, beside what it brings."""
    told = {"toast": {"text": said[:LONGEST]}}
    answer.headers["HX-Trigger"] = json.dumps(told)  # ASCII, as headers are
    return answer


def said(request: Request) -> str | None:
    """What the page before this one wants to be said."""
    raw = request.cookies.get(COOKIE)
    if raw is None or len(raw) > 4 * LONGEST:
        return None
    try:
        return base64.urlsafe_b64decode(raw).decode()[:LONGEST]
    except ValueError:
        return None
