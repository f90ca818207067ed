"""Every page there is, from the router itself: a new one is looked at without anybody's doing.

A page whose address names something is opened at one that the demo has; `WHICH` says how it is
found. What is no page of its own says so here.
"""

import re

from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from app.db.session import Database
from app.web.router import router

# A part of a page, which htmx puts into it.
PARTS = {
    "/home/fires",
    "/home/on-call",
    "/home/wellness",
    "/home/findings",
    "/frame/wellness",
    "/incidents/new/preview",
}
FILES = re.compile(r".*\.(rss|atom|svg|js|csv|json|ics|md)|.*/(body|export|download|report)")
# Whoever holds the link: tests of their own make one.
LINKS = re.compile(r"/a/\{token\}.*|/account/.*|/status/.*\{token\}.*")
OTHERS = {"/docs", "/redoc"}  # Swagger UI and ReDoc as they come
PUBLIC = re.compile(r"/status(/.*)?|/login|/signup|/forgotten|/offline|/account/.*")

WHICH = {
    "incident_id": "SELECT id FROM incidents WHERE deleted_at IS NULL"
    " ORDER BY status = 'open' DESC, id DESC LIMIT 1",
    "code": "SELECT code FROM public_incidents WHERE withdrawn_at IS NULL ORDER BY id DESC LIMIT 1",
    "schedule_id": "SELECT id FROM schedules WHERE deleted_at IS NULL ORDER BY id LIMIT 1",
    "policy_id": "SELECT id FROM escalation_policies ORDER BY id LIMIT 1",
    "service_id": "SELECT id FROM services ORDER BY id LIMIT 1",
    "team_id": "SELECT id FROM teams ORDER BY id LIMIT 1",
    "user_id": "SELECT id FROM users ORDER BY id LIMIT 1",
    "integration_id": "SELECT id FROM integrations ORDER BY id LIMIT 1",
    "component_id": "SELECT id FROM status_components WHERE deleted_at IS NULL ORDER BY id LIMIT 1",
    "group_id": "SELECT id FROM component_groups ORDER BY id LIMIT 1",
    "maintenance_id": "SELECT id FROM public_maintenances WHERE withdrawn_at IS NULL"
    " ORDER BY id LIMIT 1",
    "window_id": "SELECT id FROM maintenance_windows ORDER BY id DESC LIMIT 1",
    "heartbeat_id": "SELECT id FROM heartbeat_monitors ORDER BY id LIMIT 1",
    "notification_id": "SELECT id FROM notifications ORDER BY id DESC LIMIT 1",
    "calendar_id": "SELECT id FROM calendars WHERE deleted_at IS NULL ORDER BY id LIMIT 1",
    "template_id": "SELECT id FROM incident_templates ORDER BY id LIMIT 1",
    "subscriber_id": "SELECT id FROM subscribers ORDER BY id LIMIT 1",
    "import_id": "SELECT id FROM subscriber_imports ORDER BY id LIMIT 1",
    "subscription_id": "SELECT id FROM webhook_subscriptions ORDER BY id LIMIT 1",
    "drill_id": "SELECT id FROM fire_drills ORDER BY id DESC LIMIT 1",
    "key": "SELECT key FROM custom_fields ORDER BY id LIMIT 1",
    "kind": "SELECT 'page'",
    "channel": "SELECT 'email'",
    "item_id": "SELECT id FROM action_items ORDER BY id LIMIT 1",
    "postmortem_id": "SELECT id FROM postmortems ORDER BY id LIMIT 1",
}


def templates() -> list[str]:
    """The addresses of all pages, as the router has them."""
    asked = {
        str(route.path)
        for route in iter_route_contexts(router.routes)
        if "GET" in (route.methods or ())
    }
    return sorted(
        path
        for path in asked - PARTS - OTHERS
        if not FILES.fullmatch(path) and not LINKS.fullmatch(path)
    )


def is_public(template: str) -> bool:
    return PUBLIC.fullmatch(template) is not None


async def address(template: str, database: Database) -> str:
    """Where such a page is."""
    found = template
    for name in re.findall(r"\{(\w+)", template):
        query = WHICH.get(name)
        assert query is not None, f"Say in tests/browser/pages.py how a {name} is found."
        if name == "incident_id" and "postmortem" in template:
            query = "SELECT incident_id FROM postmortems ORDER BY id LIMIT 1"
        async with database.reading() as session:
            key = (await session.execute(text(query))).scalar()
        assert key is not None, f"The demo has nothing for {template}."
        found = re.sub(rf"\{{{name}(:\w+)?\}}", str(key), found)
    return found
