"""The routers of version 1."""

from fastapi import APIRouter, Depends

from app.api.deps import FromAnybody, logged_in
from app.api.errors import answers
from app.api.v1.endpoints import (
    action_items,
    alertmanager_webhook,
    alerts,
    alerts_webhook,
    api_keys,
    audit_log,
    auth,
    calendar_feeds,
    calendar_file,
    calendars,
    contact_methods,
    custom_fields,
    digests,
    elastic_webhook,
    escalation,
    figures,
    fire_drills,
    handoff,
    heartbeats,
    incident_templates,
    incidents,
    integrations,
    maintenance_windows,
    message_templates,
    notification_preferences,
    notification_rules,
    notifications,
    on_call,
    on_call_notices,
    pager,
    pings,
    postmortems,
    preflight,
    public_incidents,
    public_maintenances,
    public_page,
    public_postmortems,
    public_subscribers,
    public_updates,
    receipts,
    schedule_overrides,
    schedules,
    services,
    shift_requests,
    status_components,
    status_page,
    streams,
    subscriber_deliveries,
    subscriber_imports,
    subscribers,
    teams,
    users,
    webhook_subscriptions,
)

# Whoever comes here has logged in, whatever the endpoint itself asks for.
people = APIRouter(dependencies=[Depends(logged_in)])
for module in (
    users,
    contact_methods,
    notification_preferences,
    notification_rules,
    incidents,
    incident_templates,
    custom_fields,
    escalation,
    fire_drills,
    notifications,
    message_templates,
    integrations,
    alerts,
    heartbeats,
    api_keys,
    audit_log,
    webhook_subscriptions,
    teams,
    services,
    maintenance_windows,
    figures,
    preflight,
    shift_requests,
    pager,
    handoff,
    on_call_notices,
    digests,
    postmortems,
    action_items,
    on_call,
    schedules,
    schedule_overrides,
    calendars,
    calendar_feeds,
    subscribers,
    subscriber_deliveries,
    subscriber_imports,
    status_page,
    status_components,
    public_incidents,
    public_maintenances,
    public_updates,
):
    people.include_router(module.router)

tools = APIRouter()
for module in (
    elastic_webhook,
    alertmanager_webhook,
    alerts_webhook,
    pings,
    receipts,
    calendar_file,
):
    tools.include_router(module.router)

router = APIRouter(
    prefix="/v1",
    responses=answers(500, 503),
    # The bare name: what a generated client calls its method.
    generate_unique_id_function=lambda route: route.name,
)
router.include_router(auth.router, dependencies=[FromAnybody])
router.include_router(people)
router.include_router(public_subscribers.router, dependencies=[FromAnybody])
router.include_router(tools)
router.include_router(streams.router)
router.include_router(public_page.router)
router.include_router(public_postmortems.router)
