"""The routers of version 1."""

from fastapi import APIRouter

from app.api.v1.endpoints import (
    alertmanager_webhook,
    alerts_webhook,
    auth,
    elastic_webhook,
    escalation,
    incidents,
    integrations,
    users,
)

# Bodies of people and programs; what monitoring tools send has a limit of its own, which
# is a setting and refuses nothing.
LARGEST_BODY = 1_000_000

people = APIRouter(max_body_size=LARGEST_BODY)
for module in (auth, users, incidents, escalation, integrations):
    people.include_router(module.router)

tools = APIRouter()
for module in (elastic_webhook, alertmanager_webhook, alerts_webhook):
    tools.include_router(module.router)

router = APIRouter(prefix="/v1")
router.include_router(people)
router.include_router(tools)
