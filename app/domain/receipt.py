"""What providers say became of a message, in their words, read as one of ours.

One table for all of them, whether they were asked or called back by themselves. A word that
is not in it is no news: the message is on its way, as far as anybody knows.
"""

from collections.abc import Mapping

from app.domain.notification import Receipt

# With the short words of SMPP, which many gateways hand through.
DELIVERED = frozenset({"delivered", "delivrd", "read"})
FAILED = frozenset(
    {
        "blocked", "canceled", "cancelled", "deleted", "error", "expired", "failed", "rejectd",
        "rejected", "undeliv", "undeliverable", "undelivered",
    }
)  # fmt: skip

TWILIO_FAULTS = {
    "30003": "the phone is switched off or out of reach",
    "30004": "the recipient blocks messages like this, or the carrier does for them",
    "30005": "the number is unknown or no longer in service",
    "30006": "the number is a landline, or its carrier takes no messages",
    "30007": "the carrier filtered it out as unwanted",
    "30008": "the carrier gave no reason",
}

_LONGEST_REASON = 200
_LONGEST_ID = 200


def read_status(word: object, why: str) -> Receipt:
    """The receipt that a status word stands for, in any case; `why` is for one of failure."""
    known = word.strip().lower() if isinstance(word, str) else ""
    if known in DELIVERED:
        return Receipt(is_delivered=True)
    return Receipt(error=why) if known in FAILED else Receipt()


def read_twilio_status(status: object, code: object, text: object = None) -> Receipt:
    """The receipt in Twilio's `status`, `error_code` and `error_message`."""
    number = _plain(code)
    if number in TWILIO_FAULTS:
        return read_status(
            status, f"Twilio could not deliver it: {TWILIO_FAULTS[number]} ({number})."
        )
    reason = ": ".join(part for part in (number and f"error {number}", _plain(text)) if part)
    why = f"Twilio says that it is {_plain(status)}"
    return read_status(status, f"{why} ({reason})." if reason else f"{why}.")


def read_gateway_status(document: object) -> Receipt:
    """The receipt in a gateway's JSON: its `status`, and its `error` if that is one of failure."""
    fields = lower_keys(document)
    reason = _plain(fields.get("error"))
    why = f"The SMS gateway says that it is {_plain(fields.get('status'))}"
    return read_status(fields.get("status"), f"{why}: {reason}" if reason else f"{why}.")


def lower_keys(document: object) -> dict[str, object]:
    """The fields of a JSON object by lower-case name; of anything else, none."""
    if not isinstance(document, Mapping):
        return {}
    return {str(key).lower(): value for key, value in document.items()}


def as_id(value: object) -> str | None:
    """A provider's name for a message, if that is what this is."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if text.isprintable() and 0 < len(text) <= _LONGEST_ID else None


def _plain(value: object) -> str:
    """Text or a number on one short line; nothing else is quoted."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    words = "".join(c if c.isprintable() else " " for c in str(value)).split()
    return " ".join(words)[:_LONGEST_REASON]
