"""What a summary says, out of what its row remembers: words and numbers, and paths made links."""

from app.domain.lease import Leased
from app.messages.facts import DigestFacts, DigestLine, DigestPart


def digest_facts(lease: Leased, public_url: str) -> DigestFacts:
    """The facts of a leased summary."""
    facts = lease.facts
    return DigestFacts(
        recipient=lease.user_name,
        is_weekly=bool(facts["is_weekly"]),
        since=str(facts["since"]),
        until=str(facts["until"]),
        numbers=tuple((str(name), str(value)) for name, value in facts["numbers"]),
        parts=tuple(
            DigestPart(
                heading=str(part["heading"]),
                lines=tuple(
                    DigestLine(words=str(words), url=f"{public_url}{path}")
                    for words, path in part["lines"]
                ),
                more=int(part["more"]),
            )
            for part in facts["parts"]
        ),
        settings_url=f"{public_url}/digest",
    )
