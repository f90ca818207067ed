"""The OpenAPI document is a product: whole, true, and good for generated clients."""

import re
from collections.abc import Iterator
from typing import Any

from app.core.paging import BIGGEST_KEY
from tests import permissions_status
from tests.permissions import TABLE
from tests.world import World

Operation = tuple[str, str, dict[str, Any]]


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


async def test_the_document_is_served_and_names_the_product(world: World) -> None:
    document = await world.call("GET", "/openapi.json")
    assert document["info"]["title"] == "Tocsin"
    assert document["openapi"].startswith("3.1")
    assert len(document["paths"]) > 20


def test_every_operation_has_a_summary_and_a_description(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation.get("summary"), (method, path)
        assert operation.get("description"), (method, path)
        assert operation.get("tags"), (method, path)


def test_operation_ids_are_unique_names_that_a_client_can_use(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z][a-z_]{1,40}", name) for name in ids), ids


# Doors for those who have no login yet, or bring something else that proves them.
OPEN = {
    "/v1/auth/login/access-token",
    "/v1/auth/refresh",
    "/v1/auth/signup",
    "/v1/auth/signup/confirm",
    "/v1/auth/password-recovery",
    "/v1/auth/reset-password",
    "/v1/receipts/{token}",
    "/v1/ping/{token}",
    "/v1/ping/{token}/{signal}",
    "/v1/calendar/{token}.ics",
    "/v1/public/stream",
    *(path.split()[1] for path in permissions_status.TABLE if path.startswith("GET    /v1/public")),
    "/v1/public/incidents/{code}/postmortem",
    "/v1/public/subscribers",
    "/v1/public/subscribers/{token}",
    "/v1/public/subscribers/{token}/confirm",
    "/v1/public/subscribers/{token}/unsubscribe",
}
ENDLESS = ("/v1/stream", "/v1/public/stream")
FORGIVING = {
    "/v1/auth/sessions/{session_id}",  # ending what is not there is no mistake
    # Their words are all known: any other is a mistake in the request.
    "/v1/message-templates/{kind}/{channel}",
    "/v1/message-templates/variables/{kind}",
}


def expected_errors(method: str, path: str, operation: dict[str, Any]) -> set[str]:
    """What any operation of this form can answer, whatever it does."""
    if not path.startswith("/v1/"):
        return set()
    found = {"500", "503"} if path in OPEN else {"401", "500", "503"}
    if path.startswith("/v1/webhooks/"):
        return found  # whatever comes is taken in
    if path.startswith("/v1/ping/"):
        return found | {"404"}  # of what comes with it, the beginning is kept
    if "requestBody" in operation:
        found |= {"413", "422"}
    if operation.get("parameters"):
        found |= {"422"}
    if "{" in path and path not in FORGIVING:
        found |= {"404"}
    if "403" in TABLE.get(f"{method.upper():6} {path}", ""):
        found |= {"403"}
    return found


def test_every_operation_documents_the_errors_of_its_form(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        missing = expected_errors(method, path, operation) - set(operation["responses"])
        assert missing == set(), (method, path, missing)


def test_every_error_has_the_one_shape(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status < "400" or path == "/ready":
                continue
            schema = answer["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorRead"}, (method, path, status)
            assert len(answer["description"]) > 10


def test_every_success_with_a_body_has_a_schema(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if path in ("/", "/metrics", "/v1/alerts/{alert_id}/body", "/v1/audit-log.csv"):
            continue
        if path.startswith("/v1/ping/"):
            assert operation["responses"]["200"]["content"]["text/plain"]["example"] == "OK"
            continue
        if path.endswith("/postmortem/export"):
            assert operation["responses"]["200"]["content"]["text/markdown"]["example"]
            continue
        if path in ("/v1/subscribers/export", "/v1/subscriber-imports/{import_id}/report"):
            assert operation["responses"]["200"]["content"]["text/csv"]["schema"]
            continue
        if path == "/v1/calendar/{token}.ics":
            assert operation["responses"]["200"]["content"]["text/calendar"]["example"]
            continue
        if path in ENDLESS:
            assert operation["responses"]["200"]["content"]["text/event-stream"]["example"]
            continue
        found = {
            status: answer
            for status, answer in operation["responses"].items()
            if status.startswith("2")
        }
        assert len(set(found) - {"200"}) <= 1, (method, path)  # besides 200: a replay
        for status, answer in found.items():
            if status == "204":
                assert "content" not in answer
            else:
                assert "$ref" in answer["content"]["application/json"]["schema"], (method, path)


def test_bodies_of_people_refuse_unknown_fields(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for _, path, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None or path.startswith(("/v1/webhooks/", "/v1/receipts/")):
            continue  # what others send has what it has
        for schema in alternatives(body["schema"], schemas):
            assert schema["additionalProperties"] is False, path


def alternatives(schema: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that a body may be."""
    if "$ref" in schema:
        return alternatives(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return [found for choice in choices for found in alternatives(choice, schemas)]
    return [] if schema.get("type") == "null" else [schema]


def test_no_reference_leads_nowhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert references
    assert references <= set(document["components"]["schemas"])


def test_no_answer_has_room_for_a_password(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Read"):
            assert not [field for field in schema.get("properties", {}) if "password" in field]


def test_authorize_in_swagger_ui_asks_the_login_route(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    flow = schemes["Login"]["flows"]["password"]
    assert schemes["Login"]["type"] == "oauth2"
    assert "post" in document["paths"][flow["tokenUrl"]]
    form = document["paths"][flow["tokenUrl"]]["post"]["requestBody"]["content"]
    assert "application/x-www-form-urlencoded" in form


def test_every_route_says_who_may_come(document: dict[str, Any]) -> None:
    tools = [{"IntegrationKey": []}, {"IntegrationBearer": []}, {"IntegrationBasic": []}]
    for method, path, operation in operations(document):
        security = operation.get("security")
        if path.startswith("/v1/webhooks/"):
            assert security == tools
        elif path.startswith("/v1/") and path not in OPEN:
            assert security == [{"Login": []}, {"ApiKey": []}], (method, path)
        else:
            assert security is None, (method, path)


def test_every_parameter_of_a_path_is_bounded(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                schema = parameter["schema"]
                if schema["type"] == "integer":
                    bounds = (schema["minimum"], schema["maximum"])
                    assert bounds == (1, BIGGEST_KEY), (method, path)
                else:
                    assert {"pattern", "enum", "maxLength"} & set(schema), (method, path)


def test_every_tools_door_shows_an_example(document: dict[str, Any]) -> None:
    doors = [path for path in document["paths"] if path.startswith("/v1/webhooks/")]
    assert len(doors) == 3
    for door in doors:
        body = document["paths"][door]["post"]["requestBody"]["content"]["application/json"]
        assert body["example"]


async def test_the_examples_of_the_tools_doors_open_incidents(
    world: World, document: dict[str, Any]
) -> None:
    admin = await world.admin()
    for kind in ("alerts", "alertmanager", "elastic"):
        path = f"/v1/webhooks/{kind}"
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        key = await world.integration_key(admin, kind)
        headers = {"X-API-Key": key}
        answer = await world.call("POST", path, headers=headers, json=body["example"])
        assert [alert["outcome"] for alert in answer["alerts"]] == ["opened"], kind
