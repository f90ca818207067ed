"""Standard Webhooks 1.0.0: how a body is written, and the headers that prove who wrote it.

The timestamp is that of the attempt. With several secrets each signs, so that a receiver who
knows any one of them is convinced.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from app.core.errors import SetupError


def signer(secret: str) -> Webhook:
    """What signs with this secret: `whsec_` and base64."""
    try:
        return Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        raise SetupError("The webhook secret must be whsec_ and base64.") from None


def serialise(body: Mapping[str, Any]) -> bytes:
    """The body as it is signed and sent."""
    text = json.dumps(dict(body), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode(errors="replace")  # a lone surrogate must not cost a page


def headers(
    mark: str, body: bytes, signers: Sequence[Webhook], *, agent: str, now: float
) -> dict[str, str]:
    """What goes with the body."""
    at = datetime.fromtimestamp(math.floor(now), UTC)
    text = body.decode()
    return {
        "content-type": "application/json",
        "user-agent": agent,
        "webhook-id": mark,
        "webhook-timestamp": f"{at.timestamp():.0f}",
        "webhook-signature": " ".join(one.sign(mark, at, text) for one in signers),
    }
