"""What the service answered, as far as its errors tell."""

import json
import re
from typing import Any

from schemathesis.core.transport import Response


class Answer:
    """One answer, or none."""

    def __init__(self, response: Response | None) -> None:
        self.status = response.status_code if response is not None else None
        self._text = (response.content or b"").decode(errors="replace") if response else ""

    @property
    def _error(self) -> dict[str, Any]:
        try:
            body = json.loads(self._text)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def code(self) -> str | None:
        """The code of an error in our one shape."""
        code = self._error.get("code")
        return code if isinstance(code, str) else None

    @property
    def faults(self) -> list[str]:
        """The paths that a `VALIDATION_ERROR` names."""
        details = self._error.get("details")
        errors = details.get("errors", []) if isinstance(details, dict) else []
        return [error["path"] for error in errors]

    @property
    def place(self) -> str:
        """The first of them, whichever member of a list it is of."""
        return re.sub(r"\d+", "", next(iter(self.faults), ""))

    def __str__(self) -> str:
        return f"{self.status} {self._text[:500]}"
