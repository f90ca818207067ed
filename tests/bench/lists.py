"""Lists: fifty incidents through the real route, against the same rows by pgbench; and a page
deep in a list of a million against one in a list of ten thousand.
"""

from tests.bench import seeds
from tests.bench.figures import Figure
from tests.bench.ground import Bench, Load
from tests.bench.ingest import CLIENTS, median
from tests.process.service import Service

FEW, MANY = 10_000, 1_000_000
GROWTH = 1.3  # the goal: a deep page of many takes so much longer than one of few
# What a page of the list reads: the newest fifty with their tallies, and how many there are.
LIMIT = """
SELECT i.*, t.alert_count FROM incidents i JOIN incident_tallies t ON t.incident_id = i.id
WHERE i.deleted_at IS NULL AND i.status = 'open' ORDER BY i.id DESC LIMIT 50;
SELECT count(*) FROM (SELECT 1 FROM incidents
    WHERE deleted_at IS NULL AND status = 'open' LIMIT 10001) AS counted;
"""


def list_of_50(bench: Bench, service: Service, query: str = "status=open") -> Load:
    token = service.http.headers["Authorization"]
    script = f'wrk.headers["Authorization"] = "{token}"\n'
    path = f"/v1/incidents?per_page=50&{query}"
    return bench.wrk(service.url + path, script, connections=CLIENTS)


def deep(service: Service, query: str, pages: int) -> str:
    """The query for a page that is so many pages of a hundred away from the first."""
    cursor = ""
    for _ in range(pages):
        path = f"/v1/incidents?per_page=100&{query}{cursor}"
        cursor = f"&cursor={service.http.get(path).json()['next_cursor']}"
    return query + cursor


async def _fill(bench: Bench, url: str, **count: int) -> None:
    connection = await bench.connect(url)
    await seeds.people(connection)
    await seeds.incidents(connection, **count)
    await connection.close()


async def _at_first(bench: Bench) -> list[Figure]:
    """Lists a second with ten thousand open incidents."""
    url = await bench.new_database()
    with bench.service(url, TOCSIN_RATE_LIMIT_READS="0") as service:
        await _fill(bench, url, open_=FEW)
        lists, limits, pages = [], [], []
        after = deep(service, "status=open", FEW // 200)
        for _ in range(bench.rounds):
            limits.append(bench.pgbench(url, LIMIT, clients=CLIENTS))
            lists.append(list_of_50(bench, service))
            pages.append(list_of_50(bench, service, after))
            bench.say(f"{lists[-1].per_second:.0f} lists/s, {pages[-1].per_second:.0f} by cursor")
        assert all(load.refused == 0 for load in [*lists, *pages])
    best = median(lists)
    return [
        Figure("list", best.per_second, "lists/s", "lists of 50 incidents, 32 clients",
               limit=median(limits).per_second, limit_is="pgbench, the same two SELECTs"),
        Figure("list_p50", best.p50_ms, "ms", "their median"),
        Figure("list_p99", best.p99_ms, "ms", "their 99th percentile"),
        Figure("list_by_cursor", median(pages).per_second, "lists/s",
               "the same by cursor, 5,000 incidents deep"),
    ]  # fmt: skip


async def _growing(bench: Bench) -> list[Figure]:
    """How long a page takes that is deep in a long list, beside the same in a short one."""
    taken: dict[int, list[float]] = {}
    for count in (FEW, MANY):
        url = await bench.new_database()
        with bench.service(url, TOCSIN_RATE_LIMIT_READS="0") as service:
            await _fill(bench, url, resolved=count)
            bench.say(f"{count:,} incidents")
            pages = [deep(service, query, 50) for query in ("sort_by=severity", "status=resolved")]
            for _ in range(bench.rounds):
                loads = [list_of_50(bench, service, page) for page in pages]
                assert all(load.refused == 0 for load in loads)
                taken.setdefault(count, []).append(max(1000 / load.per_second for load in loads))
    short, long = (sorted(taken[count])[len(taken[count]) // 2] for count in (FEW, MANY))
    return [
        Figure("list_growth", long, "ms", "a page 5,000 deep among 1,000,000 incidents",
               limit=short, limit_is="the same among 10,000", goal=GROWTH, smaller=True),
    ]  # fmt: skip


async def measure(bench: Bench) -> list[Figure]:
    return [*await _at_first(bench), *await _growing(bench)]
