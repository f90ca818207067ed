"""The pages, and the files they load."""

from fastapi import APIRouter, FastAPI

from app.web import faults
from app.web.compressed import Compressed
from app.web.faults import failure
from app.web.pages import (
    account,
    acknowledge,
    action_items,
    api_keys,
    audit_log,
    calendar_feeds,
    calendars,
    contact_methods,
    custom_fields,
    digests,
    figures,
    fire_drills,
    frame,
    heartbeat_monitors,
    home,
    incident_actions,
    incident_forms,
    incident_parts,
    incident_public,
    incident_templates,
    incidents,
    integrations,
    maintenance_windows,
    message_templates,
    notification_preferences,
    notifications,
    phone,
    policies,
    postmortem_forms,
    postmortems,
    profile,
    public_maintenances,
    pushes,
    schedule_actions,
    schedule_forms,
    schedules,
    services,
    sessions,
    shift_requests,
    status,
    status_components,
    status_pages,
    subscriber_imports,
    subscribers,
    subscribing,
    teams,
    users,
    webhooks,
)
from app.web.statics import Statics

router = APIRouter()
router.include_router(home.router)
router.include_router(home.parts)
router.include_router(acknowledge.router)
router.include_router(account.router)
router.include_router(status.router)
router.include_router(subscribing.router)
router.include_router(subscriber_imports.router)  # before /subscribers/{id}
router.include_router(subscribers.router)
router.include_router(phone.router)
router.include_router(pushes.router)
router.include_router(sessions.router)
router.include_router(frame.router)
router.include_router(incident_forms.router)  # /incidents/new comes before /incidents/{id}
router.include_router(incident_actions.router)
router.include_router(incident_parts.router)
router.include_router(incident_public.router)
router.include_router(incident_templates.router)
router.include_router(incidents.router)
router.include_router(postmortem_forms.router)
router.include_router(action_items.router)
router.include_router(postmortems.router)
router.include_router(digests.router)
router.include_router(policies.router)
router.include_router(calendars.router)
router.include_router(shift_requests.router)
router.include_router(schedule_actions.router)
router.include_router(schedule_forms.router)  # /schedules/new comes before /schedules/{id}
router.include_router(schedules.router)
router.include_router(services.router)
router.include_router(teams.router)
router.include_router(users.router)
router.include_router(maintenance_windows.router)
router.include_router(integrations.router)
router.include_router(heartbeat_monitors.router)
router.include_router(webhooks.router)
router.include_router(notifications.router)
router.include_router(audit_log.router)
router.include_router(fire_drills.router)
router.include_router(custom_fields.router)
router.include_router(message_templates.router)
router.include_router(public_maintenances.router)
router.include_router(status_components.router)
router.include_router(status_pages.router)
router.include_router(figures.router)
router.include_router(contact_methods.router)
router.include_router(notification_preferences.router)
router.include_router(api_keys.router)
router.include_router(calendar_feeds.router)
router.include_router(profile.router)


__all__ = ["failure", "install"]


def install(app: FastAPI) -> None:
    """Put the pages into an application that has its own way to tell of errors already."""
    app.include_router(router)
    faults.install(app)
    app.add_middleware(Compressed)
    app.mount("/static", Statics(), name="static")
