"""Who may do what: every route and every role. Tests hold the service to it, in one process and
over real HTTP."""

from typing import Any

# In the order of the columns; "ok" is whatever is neither 401 nor 403.
CALLERS = ("anonymous", "viewer", "responder", "admin")
TABLE = {
    # Open to everybody
    "GET    /": "ok ok ok ok",
    "GET    /health": "ok ok ok ok",
    "GET    /ready": "ok ok ok ok",
    # Me, and the people that admins look after
    "GET    /v1/users/me": "401 ok ok ok",
    "PATCH  /v1/users/me": "401 ok ok ok",
    "PUT    /v1/users/me/password": "401 ok ok ok",
    "GET    /v1/users": "401 ok ok ok",
    "POST   /v1/users": "401 403 403 ok",
    "GET    /v1/users/{user_id}": "401 ok ok ok",
    "PATCH  /v1/users/{user_id}": "401 403 403 ok",
    "DELETE /v1/users/{user_id}": "401 403 403 ok",
    # Incidents
    "GET    /v1/incidents": "401 ok ok ok",
    "POST   /v1/incidents": "401 403 ok ok",
    "GET    /v1/incidents/{incident_id}": "401 ok ok ok",
    "PATCH  /v1/incidents/{incident_id}": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/acknowledge": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/resolve": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/reopen": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/snooze": "401 403 ok ok",
    "DELETE /v1/incidents/{incident_id}/snooze": "401 403 ok ok",
    "POST   /v1/incidents/{incident_id}/assignments": "401 403 ok ok",
    "DELETE /v1/incidents/{incident_id}/assignments/{user_id}": "401 403 ok ok",
    "GET    /v1/incidents/{incident_id}/comments": "401 ok ok ok",
    "POST   /v1/incidents/{incident_id}/comments": "401 403 ok ok",
    "GET    /v1/incidents/{incident_id}/timeline": "401 ok ok ok",
    "GET    /v1/incidents/{incident_id}/escalation": "401 ok ok ok",
    "GET    /v1/incidents/{incident_id}/notifications": "401 ok ok ok",
    # Escalation policies
    "GET    /v1/escalation/policies": "401 ok ok ok",
    "POST   /v1/escalation/policies": "401 403 403 ok",
    "GET    /v1/escalation/policies/{policy_id}": "401 ok ok ok",
    "PATCH  /v1/escalation/policies/{policy_id}": "401 403 403 ok",
    "DELETE /v1/escalation/policies/{policy_id}": "401 403 403 ok",
    # Integrations and their keys
    "GET    /v1/integrations": "401 ok ok ok",
    "POST   /v1/integrations": "401 403 403 ok",
    "GET    /v1/integrations/{integration_id}": "401 ok ok ok",
    "PATCH  /v1/integrations/{integration_id}": "401 403 403 ok",
    "POST   /v1/integrations/{integration_id}/keys": "401 403 403 ok",
    "DELETE /v1/integrations/{integration_id}/keys/{key_id}": "401 403 403 ok",
    # For tools: no person's token opens these
    "POST   /v1/webhooks/alerts": "401 401 401 401",
    "POST   /v1/webhooks/alertmanager": "401 401 401 401",
    "POST   /v1/webhooks/elastic": "401 401 401 401",
    # Not even wrong credentials are a matter of who asks
    "POST   /v1/auth/login/access-token": "ok ok ok ok",
    "POST   /v1/auth/refresh": "401 401 401 401",
    "POST   /v1/auth/signup": "ok ok ok ok",
    "POST   /v1/auth/signup/confirm": "ok ok ok ok",
    "POST   /v1/auth/password-recovery": "ok ok ok ok",
    "POST   /v1/auth/reset-password": "ok ok ok ok",
    # One's own logins
    "POST   /v1/auth/login/test-token": "401 ok ok ok",
    "POST   /v1/auth/logout": "401 ok ok ok",
    "GET    /v1/auth/sessions": "401 ok ok ok",
    "DELETE /v1/auth/sessions/{session_id}": "401 ok ok ok",
}
UNDOCUMENTED = ("/docs", "/openapi.json", "/static/tocsin.css", "/static/swagger.js", "/a/no-link")
# Bodies that would be taken, so that nothing but the role can stand in the way.
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/users": {"email": "new@example.org", "password": "passphrase"},
    "PATCH /v1/users/me": {"full_name": "Somebody"},
    "PUT /v1/users/me/password": {"current_password": "password", "new_password": "passphrase"},
    "POST /v1/auth/refresh": {"refresh_token": "trt_unknown"},
    "POST /v1/auth/signup": {"email": "new@example.org", "password": "passphrase"},
    "POST /v1/auth/signup/confirm": {"token": "x"},
    "POST /v1/auth/password-recovery": {"email": "ana@example.org"},
    "POST /v1/auth/reset-password": {"token": "x", "new_password": "passphrase"},
    "PATCH /v1/users/{user_id}": {"full_name": "Somebody"},
    "POST /v1/incidents": {"title": "a", "severity": "low", "service": "b"},
    "PATCH /v1/incidents/{incident_id}": {"title": "New"},
    "POST /v1/incidents/{incident_id}/snooze": {"minutes": 5},
    "POST /v1/incidents/{incident_id}/assignments": {"user_id": 1},
    "POST /v1/incidents/{incident_id}/comments": {"content": "Hm."},
    "POST /v1/escalation/policies": {
        "name": "x",
        "steps": [{"delay_minutes": 0, "actions": [{"type": "comment", "text": "x"}]}],
    },
    "PATCH /v1/escalation/policies/{policy_id}": {"description": "x"},
    "POST /v1/integrations": {"name": "x", "kind": "alerts"},
    "PATCH /v1/integrations/{integration_id}": {"service": "x"},
    "POST /v1/auth/login/access-token": {"username": "admin@example.org", "password": "password"},
}
