"""What people tick who choose what a subscriber is told."""

import re

from starlette.datastructures import FormData

NUMBER = re.compile("[1-9][0-9]{0,14}")


def chosen(form: FormData) -> dict[str, list[int]]:
    """The boxes that are ticked; none of a kind is an answer, too."""
    return {
        kind: [int(str(one)) for one in form.getlist(f"_{kind}") if NUMBER.fullmatch(str(one))]
        for kind in ("components", "groups")
    }
