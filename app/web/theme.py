"""Light, dark, or as the system has it: a browser's own choice, kept in a cookie."""

from fastapi import Request
from fastapi.responses import Response

COOKIE = "tocsin-theme"
THEMES = ("light", "dark")
LIFE = 365 * 86_400


def chosen(request: Request) -> str | None:
    theme = request.cookies.get(COOKIE)
    return theme if theme in THEMES else None


def choose(answer: Response, theme: str) -> None:
    """Anything that is no theme is the system's."""
    if theme in THEMES:
        # The page's script may set it, too: it is no secret.
        answer.set_cookie(COOKIE, theme, max_age=LIFE, samesite="lax")
    else:
        answer.delete_cookie(COOKIE, samesite="lax")
