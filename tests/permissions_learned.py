"""Who may do what with postmortems, action items and summaries; part of `tests.permissions`."""

from typing import Any

TABLE = {
    # What was learned of an incident: responders write it, admins say what a new one looks like
    "GET    /v1/postmortems": "401 ok ok ok",
    "GET    /v1/postmortem-template": "401 ok ok ok",
    "PUT    /v1/postmortem-template": "401 403 403 ok",
    "DELETE /v1/postmortem-template": "401 403 403 ok",
    "GET    /v1/incidents/{incident_id}/postmortem": "401 ok ok ok",
    "POST   /v1/incidents/{incident_id}/postmortem": "401 403 ok ok",
    "PATCH  /v1/incidents/{incident_id}/postmortem": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/postmortem/submit": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/postmortem/approve": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/postmortem/return": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/postmortem/publish": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/postmortem/withdraw": "401 403 ok ok",
    "GET    /v1/incidents/{incident_id}/postmortem/versions": "401 ok ok ok",
    "GET    /v1/incidents/{incident_id}/postmortem/export": "401 ok ok ok",
    "GET    /v1/postmortems/{postmortem_id}/action-items": "401 ok ok ok",
    "POST   /v1/postmortems/{postmortem_id}/action-items": "401 403 ok ok",
    "GET    /v1/action-items": "401 ok ok ok",
    "GET    /v1/action-items/{item_id}": "401 ok ok ok",
    "PATCH  /v1/action-items/{item_id}": "401 403 ok ok",
    "DELETE /v1/action-items/{item_id}": "401 403 ok ok",
    "GET    /v1/public/incidents/{code}/postmortem": "ok ok ok ok",
    # Summaries: one's own, or anybody's for an admin
    "GET    /v1/users/{user_id}/digest": "401 403 403 ok",
    "GET    /v1/users/{user_id}/digest-settings": "401 403 403 ok",
    "PUT    /v1/users/{user_id}/digest-settings": "401 403 403 ok",
}
BODIES: dict[str, Any] = {
    "PUT /v1/postmortem-template": {"impact": "Who noticed?"},
    "POST /v1/incidents/{incident_id}/postmortem": {},
    "PATCH /v1/incidents/{incident_id}/postmortem": {"impact": "None."},
    "POST /v1/incidents/{incident_id}/postmortem/publish": {},
    "POST /v1/postmortems/{postmortem_id}/action-items": {"title": "Rotate the logs"},
    "PATCH /v1/action-items/{item_id}": {"state": "done"},
    "PUT /v1/users/{user_id}/digest-settings": {"frequency": "daily"},
}
