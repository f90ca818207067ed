"""Where files go and how large they may grow; what must never be committed."""

import re
import subprocess
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
LONGEST = 400

# One stem per domain: the file of a resource has the same name in every layer.
STEMS = {
    "alert", "api_key", "audit_log", "audit_trail", "auth", "bundle", "calendar",
    "calendar_feed", "calendar_shift", "caller", "contact_method", "custom_field", "demo",
    "duty_change", "escalation", "event", "figures", "figures_people", "fire_drill", "handoff",
    "health", "home", "heartbeat_monitor", "heartbeat_ping", "idempotency_key", "incident",
    "incident_filter", "incident_list", "incident_shown", "incident_template", "intake",
    "integration", "ladder",
    "maintenance_window", "message_template", "notification", "notification_preference",
    "notification_story", "on_call", "on_call_notice", "outbox", "pager", "plain_intake",
    "preflight", "quiet",
    "receipt", "rota", "round_robin", "schedule", "schedule_list", "schedule_override",
    "service", "shift_request", "silence", "simulation", "status_update", "storm", "target",
    "team", "throttle", "user", "webhook", "webhook_delivery",
}  # fmt: skip
SHARED = {"base", "prepared", "search", "types"}
PLURAL = {"api_keys": "api_key",
          "contact_methods": "contact_method", "custom_fields": "custom_field",
          "incidents": "incident", "integrations": "integration", "alerts": "alert",
          "fire_drills": "fire_drill",
          "message_templates": "message_template", "notifications": "notification",
          "notification_preferences": "notification_preference",
          "streams": "event", "users": "user", "webhook_subscriptions": "webhook"}  # fmt: skip
PLURAL |= {"schedules": "schedule", "schedule_overrides": "schedule_override"}
PLURAL |= {"maintenance_windows": "maintenance_window", "services": "service", "teams": "team"}
PLURAL |= {"shift_requests": "shift_request", "on_call_notices": "on_call_notice"}
STEMS |= {"incident_page"}
PLURAL |= {"incident_templates": "incident_template"}
STEMS |= {"postmortem", "action_item", "digest"}
PLURAL |= {"public_postmortems": "postmortem"}
PLURAL |= {"postmortems": "postmortem", "action_items": "action_item", "digests": "digest"}
STEMS |= {"subscriber", "subscriber_delivery", "subscriber_delivery_list", "subscriber_import"}
STEMS |= {"subscriber_notice"}
PLURAL |= {"subscribers": "subscriber", "subscriber_deliveries": "subscriber_delivery"}
PLURAL |= {"subscriber_imports": "subscriber_import", "public_subscribers": "subscriber"}
PLURAL |= {"calendars": "calendar", "calendar_feeds": "calendar_feed"}
PLURAL |= {"calendar_file": "calendar_feed"}
STEMS |= {"public_incident", "public_maintenance", "public_page", "public_update"}
STEMS |= {"status_component", "status_page", "statuspage"}
PLURAL |= {"public_incidents": "public_incident", "public_maintenances": "public_maintenance"}
PLURAL |= {"public_updates": "public_update", "status_components": "status_component"}
PLURAL |= {"heartbeats": "heartbeat_monitor", "pings": "heartbeat_ping"}
# The seed's own name for a second door into `integration`, and its siblings.
DOORS = {"elastic_webhook", "alertmanager_webhook", "alerts_webhook",
         "notification_rules", "receipts"}  # fmt: skip


def _stems(layer: str) -> set[str]:
    return {path.stem for path in (APP / layer).glob("*.py")} - {"__init__"}


def test_every_layer_names_its_files_after_a_known_resource() -> None:
    crud = {stem.removeprefix("crud_") for stem in _stems("crud")}
    endpoints = {PLURAL.get(stem, stem) for stem in _stems("api/v1/endpoints") - DOORS}
    found = crud | _stems("models") | _stems("schemas") | endpoints
    assert found - STEMS - SHARED == set()


def test_no_file_outgrows_its_one_job() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("app", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert too_long == {}


def test_every_module_of_the_app_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in APP.rglob("*.py")
        if not path.read_text().startswith('"""')
    ]
    assert silent == []


def _committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_no_committed_file_names_a_package_registry() -> None:
    """Everybody installs from their own index."""
    hosts = re.compile(
        r"https?://[^\s\"']*(pypi\.|pythonhosted|npmjs|debian\.org/debian)|index-url|find-links"
    )
    named = []
    for path in _committed():
        if path == Path(__file__) or "vendor" in path.parts:
            continue
        text = path.read_text(errors="replace")
        named += [f"{path.relative_to(ROOT)}: {found.group()}" for found in hosts.finditer(text)]
    assert named == []


def test_every_vendored_file_is_the_one_its_table_names() -> None:
    vendor = APP / "web" / "static" / "vendor"
    table = (vendor / "README.md").read_text()
    code = [path for path in vendor.rglob("*") if path.suffix in {".js", ".css"}]
    assert code
    unknown = [path.name for path in code if sha256(path.read_bytes()).hexdigest() not in table]
    assert unknown == []
