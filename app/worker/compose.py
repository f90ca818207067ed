"""From a leased notification to the message a channel carries.

Links and codes are made here, when a message leaves: no row ever holds one. A message is known
by its mark, the same at every attempt, so that whoever gets it twice can tell. The mark of a
bundle names everything in it: another bundle of the same leader is another message, and must
not be taken for a copy.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from app.channels.base import Message
from app.core.security import Signer, Vault
from app.domain.auth import CHALLENGE_LIFE, ChallengePurpose
from app.domain.contact_method import secret_place
from app.domain.lease import Leased
from app.domain.notification import DUTY_KINDS, TASK_KINDS, Channel, NotificationKind
from app.messages.facts import (
    AssignmentFacts,
    BundleFacts,
    BundleItem,
    ContactTestFacts,
    Facts,
    PageFacts,
    PasswordChangedFacts,
    PreflightFacts,
    RecoveryFacts,
    SignupFacts,
    SignupKnownFacts,
    UpdateFacts,
    VerificationFacts,
    WebhookDisabledFacts,
)
from app.messages.render import Rendered, for_program, render, render_bundle
from app.messages.wording import Wording
from app.services.notification import LINK_PURPOSE
from app.services.receipt import LINK_PURPOSE as RECEIPT_PURPOSE
from app.worker.compose_digest import digest_facts
from app.worker.compose_duty import duty_facts, public_reminder_facts

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SIGNUP, RECOVERY = ChallengePurpose.SIGNUP, ChallengePurpose.RECOVERY
CONTACT_METHOD = ChallengePurpose.CONTACT_METHOD
# Letters that are made of what their rows remember, and of nothing else.
LETTERS: Mapping[NotificationKind, Callable[[Leased, str], Facts]] = {
    **dict.fromkeys((*DUTY_KINDS, *TASK_KINDS), duty_facts),
    NotificationKind.DIGEST: digest_facts,
    NotificationKind.PUBLIC_REMINDER: public_reminder_facts,
}


class UnsendableError(Exception):
    """No message can be made of this, however often it is tried. Its text says why."""


@dataclass(frozen=True)
class Composed:
    """A message, and what was odd about making it."""

    message: Message
    note: str | None = None


Compose = Callable[[Leased], Composed]


def composer(signer: Signer, public_url: str, vault: Vault | None = None) -> Compose:
    """Compose with links that lead to `public_url`, and secrets out of this vault."""
    return _Composer(signer, public_url, vault or Vault(signer.derive("vault"))).compose


class _Composer:
    def __init__(self, signer: Signer, public_url: str, vault: Vault) -> None:
        self._signer = signer
        self._public_url = public_url
        self._vault = vault
        self._can_be_called = _can_be_called(public_url)

    def compose(self, lease: Leased) -> Composed:
        rendered = self._rendered(lease)
        mark, thread = self._mark(lease)
        message = Message(
            mark=mark,
            thread=thread,
            address=lease.address,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            data=rendered.json,
            secret=self._secret(lease),
            receipt_url=self._receipt_url(lease),
        )
        return Composed(message, rendered.fault)

    def _rendered(self, lease: Leased) -> Rendered:
        if len({row.incident.id for row in lease.rows if row.incident}) > 1:
            return render_bundle(lease.channel, self._bundled(lease), now=lease.claimed_at)
        facts = self._facts(lease)
        if lease.channel is Channel.WEBHOOK:
            return for_program(lease.kind, facts, now=lease.claimed_at)
        wording = Wording(*lease.wording) if lease.wording else None
        return render(lease.kind, lease.channel, facts, now=lease.claimed_at, wording=wording)

    def _mark(self, lease: Leased) -> tuple[str, str]:
        """The mark, and what the message belongs to.

        It stands on the incident's own uid, or on our own secret: equal ids of two
        installations never meet.
        """
        if lease.incident is None:
            letter = f"letter.{lease.id}"
            mark = f"{letter}.{self._signer.derive(letter).hex()[:16]}"
            return mark, mark
        if not lease.followers:
            return f"{lease.incident.uid}.{lease.id}", str(lease.incident.uid)
        first, *_ = rows = sorted(lease.rows, key=lambda row: row.id)
        digest = hashlib.sha256(" ".join(str(row.id) for row in rows).encode()).hexdigest()
        assert first.incident is not None  # only pages are bundled
        mark = f"{first.incident.uid}.{first.id}.{digest[:16]}"
        return mark, mark

    def _secret(self, lease: Leased) -> str | None:
        contact = lease.contact
        if contact is None or contact.secret is None:
            return None
        place = secret_place(contact.user_id, lease.channel, contact.address)
        secret = self._vault.unlock(contact.secret, place=place)
        if secret is None:
            raise UnsendableError(
                "The secret part of the contact method cannot be read, because Tocsin's secret"
                " key has changed; add the contact method anew."
            )
        return secret

    def _receipt_url(self, lease: Leased) -> str | None:
        if lease.channel is not Channel.SMS or not self._can_be_called:
            return None
        return f"{self._public_url}/v1/receipts/{self._signer.link(RECEIPT_PURPOSE, lease.id)}"

    def _acknowledge_url(self, lease: Leased) -> str | None:
        if lease.user_id is None:
            return None
        return f"{self._public_url}/a/{self._signer.link(LINK_PURPOSE, lease.id)}"

    # --- What each kind says

    def _facts(self, lease: Leased) -> Facts:
        match lease.kind:
            case NotificationKind.PAGE:
                return self._page(lease)
            case NotificationKind.ACKNOWLEDGED | NotificationKind.RESOLVED:
                return UpdateFacts(actor=_actor(lease), **self._incident(lease))
            case NotificationKind.ASSIGNED:
                role = str(lease.facts["role"])
                return AssignmentFacts(actor=_actor(lease), role=role, **self._incident(lease))
            case _:
                return self._letter(lease)

    def _page(self, lease: Leased) -> PageFacts:
        assert lease.incident is not None  # a constraint of the table
        assert lease.step is not None
        return PageFacts(
            description=lease.incident.description,
            source=lease.incident.source,
            policy_name=lease.step.policy_name,
            is_fallback=lease.step.is_fallback,
            loop=lease.step.key.loop,
            step=lease.step.key.step,
            step_count=lease.step.step_count,
            message=lease.message,
            acknowledge_url=self._acknowledge_url(lease),
            is_resend=lease.is_resend,
            **self._incident(lease),
        )

    def _incident(self, lease: Leased) -> dict[str, Any]:
        incident = lease.incident
        assert incident is not None
        own = ("title", "severity", "service", "url", "opened_at", "alert_count", "tags", "labels",
               "is_drill")  # fmt: skip
        return {
            "incident_id": incident.id,
            "recipient": lease.user_name,
            "api_url": f"{self._public_url}/v1/incidents/{incident.id}",
            **{name: getattr(incident, name) for name in own},
        }

    def _bundled(self, lease: Leased) -> BundleFacts:
        """Each incident once, however many of its pages are told."""
        items: dict[int, BundleItem] = {}
        for row in lease.rows:
            assert row.incident is not None
            assert row.step is not None
            item = BundleItem(
                incident_id=row.incident.id,
                title=row.incident.title,
                severity=row.incident.severity,
                service=row.incident.service,
                policy_name=row.step.policy_name,
                acknowledge_url=self._acknowledge_url(row),
                is_drill=row.incident.is_drill,
            )
            items.setdefault(row.incident.id, item)
        return BundleFacts(recipient=lease.user_name, items=tuple(items.values()), total=len(items))

    def _letter(self, lease: Leased) -> Facts:
        """A letter between Tocsin and one person."""
        name = lease.user_name
        made = LETTERS.get(lease.kind)
        if made is not None:
            return made(lease, self._public_url)
        match lease.kind:
            case NotificationKind.TEST:
                contact = lease.contact.label if lease.contact else None
                return ContactTestFacts(
                    recipient=name, channel=lease.channel, contact=contact or lease.address
                )
            case NotificationKind.VERIFICATION:
                code = self._signer.code(CONTACT_METHOD, lease.facts["challenge_id"])
                minutes = CHALLENGE_LIFE[CONTACT_METHOD] // timedelta(minutes=1)
                return VerificationFacts(recipient=name, code=code, minutes=minutes)
            case NotificationKind.SIGNUP:
                token = self._signer.link(SIGNUP, lease.facts["challenge_id"])
                link = f"{self._public_url}/account/signup/{token}"
                hours = CHALLENGE_LIFE[SIGNUP] // timedelta(hours=1)
                return SignupFacts(recipient=name, link=link, token=token, hours=hours)
            case NotificationKind.RECOVERY:
                token = self._signer.link(RECOVERY, lease.facts["challenge_id"])
                link = f"{self._public_url}/account/reset/{token}"
                minutes = CHALLENGE_LIFE[RECOVERY] // timedelta(minutes=1)
                return RecoveryFacts(recipient=name, link=link, token=token, minutes=minutes)
            case NotificationKind.SIGNUP_KNOWN:
                return SignupKnownFacts(recipient=name, sign_in_url=f"{self._public_url}/")
            case NotificationKind.PASSWORD_CHANGED:
                return PasswordChangedFacts(
                    recipient=name,
                    changed_at=lease.promised_at,
                    changed_from=lease.facts.get("address"),
                )
            case NotificationKind.WEBHOOK_DISABLED:
                return WebhookDisabledFacts(
                    recipient=name,
                    name=str(lease.facts["name"]),
                    why=str(lease.facts["why"]),
                    disabled_at=lease.promised_at,
                )
            case NotificationKind.PREFLIGHT:
                return PreflightFacts(
                    recipient=name,
                    new=int(lease.facts["new"]),
                    findings=tuple(lease.facts["findings"]),
                    api_url=f"{self._public_url}/v1/preflight",
                )
        raise UnsendableError(f"There is no letter about {lease.kind}.")


def _actor(lease: Leased) -> str:
    return str(lease.facts["actor"])


def _can_be_called(public_url: str) -> bool:
    """Whether a provider may call us there: over TLS, or on this machine."""
    parts = urlsplit(public_url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK
