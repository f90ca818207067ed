"""Lists: fifty incidents through the real route, against the same rows by pgbench."""

from tests.bench.figures import Figure
from tests.bench.ground import Bench, Load
from tests.bench.ingest import CLIENTS, alerts_of, median
from tests.process.service import Service

STORED = 10_000
# What a page of the list reads: the newest fifty with their tallies, and how many there are.
LIMIT = """
SELECT i.*, t.alert_count FROM incidents i JOIN incident_tallies t ON t.incident_id = i.id
WHERE i.deleted_at IS NULL AND i.status = 'open' ORDER BY i.id DESC LIMIT 50;
SELECT count(*) FROM (SELECT 1 FROM incidents
    WHERE deleted_at IS NULL AND status = 'open' LIMIT 10001) AS counted;
"""


def list_of_50(bench: Bench, service: Service) -> Load:
    token = service.http.headers["Authorization"]
    script = f'wrk.headers["Authorization"] = "{token}"\n'
    path = "/v1/incidents?per_page=50&status=open"
    return bench.wrk(service.url + path, script, connections=CLIENTS)


async def measure(bench: Bench) -> list[Figure]:
    """Lists a second with ten thousand open incidents."""
    url = await bench.new_database()
    with bench.service(url) as service:
        key = alerts_of(service)
        for start in range(0, STORED, 1_000):
            alerts = [{"title": f"disk {start + n}", "severity": "high"} for n in range(1_000)]
            service.post("/v1/webhooks/alerts", alerts, **{"X-API-Key": key.key})
        lists, limits = [], []
        for _ in range(bench.rounds):
            limits.append(bench.pgbench(url, LIMIT, clients=CLIENTS))
            lists.append(list_of_50(bench, service))
            bench.say(f"{lists[-1].per_second:.0f} lists/s, p99 {lists[-1].p99_ms:.0f} ms")
        assert all(load.refused == 0 for load in lists)
    best = median(lists)
    return [
        Figure("list", best.per_second, "lists/s", "lists of 50 incidents, 32 clients",
               limit=median(limits).per_second, limit_is="pgbench, the same two SELECTs"),
        Figure("list_p50", best.p50_ms, "ms", "their median"),
        Figure("list_p99", best.p99_ms, "ms", "their 99th percentile"),
    ]  # fmt: skip
