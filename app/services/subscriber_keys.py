"""What finds, proves and seals subscribers; what one asks for; and how that is kept as a row."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from app.core.security import Signer, Vault, hash_key
from app.crud.crud_subscriber import Scopes
from app.domain.subscriber import (
    LINK_PURPOSE,
    Address,
    Cadence,
    SubscriberOrigin,
    SubscriberState,
    secret_place,
)


@dataclass(frozen=True)
class Keys:
    """What proves links and seals addresses in this installation."""

    signer: Signer = field(repr=False)
    vault: Vault = field(repr=False)

    def digest(self, address: Address) -> str:
        """How an address is found: nobody who has the table can try addresses on it."""
        key = self.signer.derive("subscriber addresses")
        told = f"{address.channel}: {address.key}".encode(errors="replace")
        return hmac.new(key, told, hashlib.sha256).hexdigest()

    def token(self, link_number: int) -> str:
        """What stands in every link of a subscriber; only its digest is in the table."""
        return self.signer.link(LINK_PURPOSE, link_number)

    def hook_secret(self, link_number: int) -> str:
        """What signs the calls of one webhook subscriber."""
        return "whsec_" + hash_key(f"signing {self.token(link_number)}")


@dataclass(frozen=True)
class Wishes:
    """What somebody wants to be told, and how often."""

    is_for_everything: bool = True
    scopes: Scopes = field(default_factory=Scopes)
    frequency: Cadence = Cadence.IMMEDIATE

    def kept(self) -> dict[str, Any]:
        """As JSON, the same after it was stored."""
        scopes = {name: list(ids) for name, ids in asdict(self.scopes).items()}
        return {
            "is_for_everything": self.is_for_everything,
            "scopes": scopes,
            "frequency": self.frequency.value,
        }

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Wishes":
        scopes = {name: tuple(ids) for name, ids in kept["scopes"].items()}
        return cls(kept["is_for_everything"], Scopes(**scopes), Cadence(kept["frequency"]))


def new_row(
    address: Address,
    digest: str,
    wishes: Wishes,
    keys: Keys,
    origin: SubscriberOrigin,
    *,
    by: int | None = None,
    is_proved: bool = False,
    now: datetime,
) -> dict[str, Any]:
    """A subscriber's columns. Whoever is taken at somebody's word is told from now on."""
    number = secrets.randbits(63)
    sealed = keys.vault.lock(address.secret, place=secret_place(digest)) if address.secret else None
    return {
        "channel": address.channel,
        "address": address.text,
        "address_hash": digest,
        "secret": sealed,
        "link_number": number,
        "token_hash": hash_key(keys.token(number)),
        "state": SubscriberState.ACTIVE if is_proved else SubscriberState.PENDING,
        "frequency": wishes.frequency,
        "is_for_everything": wishes.is_for_everything,
        "asked_for": None if is_proved else wishes.kept(),
        "origin": origin,
        "created_by": by,
        "asked_at": now,
        "confirmed_at": now if is_proved else None,
        "created_at": now,
        "updated_at": now,
    }
