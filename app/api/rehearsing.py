"""A rehearsal for whoever asks at a door: in a transaction that nobody commits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from app.api.state import Service
from app.db.session import ReadSession, WriteSession, transaction_time
from app.services import simulation
from app.services.notification_preference import unconfigured
from app.services.simulation import Question, Rehearsal


async def rehearsed(service: Service, question: Question) -> Rehearsal:
    """What would happen, as this installation is set up."""
    question = replace(
        question,
        fallback_email=service.settings.fallback_email,
        unconfigured=unconfigured(service.channel_states()),
        objection=service.objection,
    )
    async with _undone(service) as session:
        now = await transaction_time(session)
        return await simulation.rehearse(session, question, now=now)


@asynccontextmanager
async def _undone(service: Service) -> AsyncIterator[WriteSession]:
    """Leaving it undoes it, whatever was written."""
    async with service.database.sessions() as session:
        session.info["clock_shift"] = service.database.clock_shift
        yield WriteSession(ReadSession(session))
