"""Small lists on pages: which page is asked for, the shape that the pager draws, and who can be
chosen."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request

from app.crud.base import Slice
from app.models import User

PER_PAGE = 50
DEEPEST = 200  # pages; beyond it nobody turns them one by one


def page_of(request: Request) -> int:
    """The page that the address asks for; the first for whatever is no number."""
    word = request.query_params.get("page", "1")
    is_number = word.isascii() and word.isdigit() and len(word) <= 4
    return min(max(int(word), 1), DEEPEST) if is_number else 1


def shown(found: Slice[Any], page: int) -> dict[str, Any]:
    """A slice as the pager knows it."""
    return {
        "rows": found.items,
        "total": found.total,
        "total_is_bound": found.total_is_bound,
        "page": page,
        "per_page": PER_PAGE,
        "next_cursor": None,
    }


def people(users: Sequence[User]) -> list[tuple[str, str]]:
    """Nobody, and these, as a choice offers them."""
    return [("", "Nobody yet"), *((str(user.id), user.display_name) for user in users)]
