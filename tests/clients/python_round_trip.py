"""What a stranger writes with the generated Python client. Run by a Python that is not ours."""

import sys

from tocsin_client import AuthenticatedClient, Client
from tocsin_client.api.auth import log_in
from tocsin_client.api.incidents import acknowledge_incident, declare_incident, read_incident
from tocsin_client.api.integrations import create_integration
from tocsin_client.models import (
    ErrorRead,
    IncidentCreate,
    IncidentRead,
    IncidentStatus,
    IntegrationCreate,
    IntegrationCreated,
    IntegrationKind,
    LogInJsonCredentials,
    Severity,
    TokenRead,
)

url, password = sys.argv[1:]

credentials = LogInJsonCredentials(username="admin@localhost", password=password)
token = log_in.sync(client=Client(base_url=url), body=credentials)
assert isinstance(token, TokenRead), token

client = AuthenticatedClient(base_url=url, token=token.access_token)
tool = IntegrationCreate(name="python", kind=IntegrationKind.ALERTS)
integration = create_integration.sync(client=client, body=tool)
assert isinstance(integration, IntegrationCreated), integration
assert integration.key

made = declare_incident.sync(
    client=client,
    body=IncidentCreate(title="Disk full", severity=Severity.HIGH, service="database"),
)
assert isinstance(made, IncidentRead), made
acknowledge_incident.sync(made.id, client=client)
found = read_incident.sync(made.id, client=client)
assert isinstance(found, IncidentRead), found
assert (found.title, found.status) == ("Disk full", IncidentStatus.ACKNOWLEDGED)
nothing = read_incident.sync(made.id + 1, client=client)
assert isinstance(nothing, ErrorRead), nothing
assert nothing.code == "INCIDENT_NOT_FOUND"
sys.stdout.write(f"read back incident {found.id}\n")
