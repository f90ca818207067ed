"""From a leased notification to the message a channel carries."""

from collections.abc import Callable
from datetime import datetime

from app.channels.base import Message
from app.core.security import Signer
from app.crud.crud_notification import Leased
from app.messages import page
from app.services.notification import LINK_PURPOSE


def composer(signer: Signer, public_url: str) -> Callable[[Leased], Message]:
    """Compose with links that lead to `public_url`."""

    def compose(lease: Leased) -> Message:
        rendered = page.render(_facts(lease, signer, public_url), now=lease.claimed_at)
        return Message(
            # Both stand on the incident's own uid: equal ids of two installations never meet.
            mark=f"{lease.uid}.{lease.id}",
            thread=str(lease.uid),
            address=lease.address,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            data=rendered.json,
        )

    return compose


def _facts(lease: Leased, signer: Signer, public_url: str) -> page.PageFacts:
    opened_at: datetime = lease.opened_at
    link = f"{public_url}/a/{signer.link(LINK_PURPOSE, lease.id)}" if lease.user_id else None
    return page.PageFacts(
        incident_id=lease.incident_id,
        title=lease.title,
        description=lease.description,
        severity=lease.severity,
        service=lease.service,
        source=lease.source,
        url=lease.url,
        opened_at=opened_at,
        alert_count=lease.alert_count,
        policy_name=lease.policy_name,
        is_fallback=lease.is_fallback,
        loop=lease.loop,
        step=lease.step,
        step_count=lease.step_count,
        message=lease.message,
        recipient=lease.user_name,
        acknowledge_url=link,
        api_url=f"{public_url}/v1/incidents/{lease.incident_id}",
        is_resend=lease.is_resend,
    )
