"""What providers say became of the messages they took: asked by us, or called back by them.

In whichever order their words come, and however often: what arrived has arrived, what is lost
is told like any other failure, and everything else changes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from app.core.errors import ForbiddenError, InvalidInputError
from app.crud import crud_incident, crud_receipt
from app.db.session import WriteSession
from app.domain.notification import Receipt
from app.integrations.receipts import (
    read_gateway_receipt,
    read_twilio_receipt,
    twilio_signature_is_good,
)
from app.services import notification as notification_service

LINK_PURPOSE = "receipt"
MOST_FIELDS = 100


class UnreadableReceiptError(InvalidInputError):
    """It is neither a provider's form nor JSON."""

    code = "RECEIPT_UNREADABLE"


class WrongSignatureError(ForbiddenError):
    """Whoever called does not know what only Twilio and we know."""

    code = "WRONG_SIGNATURE"


@dataclass(frozen=True)
class Call:
    """A receipt as somebody sent it."""

    provider_id: str | None
    receipt: Receipt
    form: Mapping[str, str] | None = None  # the whole of it, where it is a form


def read(body: bytes, *, is_form: bool) -> Call:
    """The receipt in a Twilio form or a gateway's JSON."""
    try:
        if not is_form:
            return Call(*read_gateway_receipt(json.loads(body)))
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except (ValueError, RecursionError):
        raise UnreadableReceiptError(
            "Send a provider's form, or JSON such as {“id”: …, “status”: “delivered”}."
        ) from None
    form = dict(pairs)
    return Call(*read_twilio_receipt(form), form)


def require_signed(call: Call, *, auth_token: str, url: str, signature: str) -> None:
    """A form comes from Twilio, and Twilio signs what it sends."""
    if call.form is not None and not twilio_signature_is_good(
        auth_token, url, call.form, signature
    ):
        raise WrongSignatureError("The signature (X-Twilio-Signature) does not fit this call.")


async def record(
    session: WriteSession,
    notification_id: int,
    receipt: Receipt,
    provider_id: str | None,
    *,
    now: datetime,
) -> None:
    """Record what became of a message and of every page it told; no news changes nothing.

    The incidents of what is lost come first, as whenever they are held with other rows.
    """
    if receipt.is_delivered:
        await crud_receipt.record_delivered(session, notification_id, provider_id, now=now)
    elif receipt.error is not None:
        told_of = await crud_receipt.incidents_of(session, notification_id)
        await crud_incident.lock_unresolved(session, told_of)
        lost = await crud_receipt.record_lost(
            session, notification_id, receipt.error, provider_id, now=now
        )
        entries = [
            notification_service.lost_entry(one.incident_id, one, receipt.error, now=now)
            for one in lost
            if one.incident_id is not None
        ]
        await crud_incident.tell(session, entries)
        steps = {one.step for one in lost if one.step is not None}
        await notification_service.hurry(session, steps, now=now)
