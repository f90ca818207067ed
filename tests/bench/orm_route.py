"""The ordinary way, for comparison: one request, one ORM session, a row object for each row."""

import os
from typing import Any

from fastapi import FastAPI

from app.crud import crud_intake
from app.db.session import Database
from app.domain.escalation import EscalationStatus
from app.domain.incident import Severity, TimelineType
from app.domain.integration import AlertOutcome
from app.models import Alert, Escalation, Incident, IncidentTally, TimelineEvent

database = Database(os.environ["BENCH_DATABASE_URL"])
app = FastAPI()


@app.post("/alerts")
async def receive(body: dict[str, Any]) -> dict[str, Any]:
    async with database.writing() as session:
        [policy] = await crud_intake.active_policies(session)
        incident = Incident(
            title=body["title"],
            description=body["description"],
            severity=Severity(body["severity"]),
            service=body["service"],
            source=body["source"],
            tags=body["tags"],
            labels=body["labels"],
            integration_id=1,
            dedup_key=body["dedup_key"],
        )
        session.add(incident)
        await session.flush()
        alert = Alert(
            integration_id=1,
            incident_id=incident.id,
            outcome=AlertOutcome.OPENED,
            dedup_key=body["dedup_key"],
            title=body["title"],
            raw_body=repr(body).encode(),
        )
        run = Escalation(
            incident_id=incident.id,
            policy_id=policy.id,
            policy_name=policy.name,
            steps=[],
            final_delay_minutes=5,
            status=EscalationStatus.ACTIVE,
            started_at=incident.created_at,
            next_step_at=incident.created_at + policy.first_delay,
        )
        told = [
            TimelineEvent(incident_id=incident.id, event_type=kind, description="It began.")
            for kind in (TimelineType.OPENED, TimelineType.ESCALATION_STARTED)
        ]
        tally = IncidentTally(incident_id=incident.id, alert_count=1)
        session.add_all([tally, run, alert, *told])
        await session.flush()
        return {"id": alert.id, "incident_id": incident.id}
