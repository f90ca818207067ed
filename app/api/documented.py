"""What the OpenAPI document tells of a route beyond its signature."""

from typing import Any

# Every route takes one. It is told where an operation has two kinds of bodies and nothing optional:
# there openapi-python-client forgets an import.
NAMED_REQUEST: dict[str, Any] = {
    "in": "header",
    "name": "X-Request-ID",
    "required": False,
    "description": "A name of yours for this request, of 1 to 128 letters, digits and `._:/+=@-`;"
    " without one, or with another, it is given one.",
    "schema": {"type": "string"},
}
