"""Who may do what with subscribers of the status page: they themselves by their link, and those who
look after them. A part of `tests.permissions`."""

from typing import Any

TABLE = {
    "POST   /v1/public/subscribers": "ok ok ok ok",
    "GET    /v1/public/subscribers/{token}": "ok ok ok ok",
    "PATCH  /v1/public/subscribers/{token}": "ok ok ok ok",
    "POST   /v1/public/subscribers/{token}/confirm": "ok ok ok ok",
    "POST   /v1/public/subscribers/{token}/unsubscribe": "ok ok ok ok",
    "GET    /v1/subscribers": "401 403 ok ok",
    "POST   /v1/subscribers": "401 403 403 ok",
    "GET    /v1/subscribers/export": "401 403 403 ok",
    "GET    /v1/subscribers/{subscriber_id}": "401 403 ok ok",
    "PATCH  /v1/subscribers/{subscriber_id}": "401 403 403 ok",
    "DELETE /v1/subscribers/{subscriber_id}": "401 403 403 ok",
    "GET    /v1/subscriber-deliveries": "401 403 ok ok",
    "POST   /v1/subscriber-deliveries/{delivery_id}/resend": "401 403 403 ok",
    "GET    /v1/subscriber-imports": "401 403 403 ok",
    "POST   /v1/subscriber-imports": "401 403 403 ok",
    "GET    /v1/subscriber-imports/{import_id}": "401 403 403 ok",
    "GET    /v1/subscriber-imports/{import_id}/report": "401 403 403 ok",
}
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/public/subscribers": {"address": "sam@example.org"},
    "PATCH /v1/public/subscribers/{token}": {"frequency": "daily"},
    "POST /v1/subscribers": {"address": "sue@example.org", "have_agreed": True},
    "PATCH /v1/subscribers/{subscriber_id}": {"frequency": "daily"},
}
