"""Pages of the console over years of incidents: the first byte of each, asked for one after the
other as a browser does, and the slowest of them against its goal."""

import re
import statistics
import time

import httpx

from app.core.security import Passwords, Signer, Vault
from app.crud import crud_search
from app.db.session import Database
from app.demo import show
from app.services.subscriber_keys import Keys
from tests.bench import seeds
from tests.bench.figures import Figure
from tests.bench.ground import Bench
from tests.browser import pages

OPEN, RESOLVED = 2_000, 98_000
ASKED = 20  # times, of which the median counts
GOAL = 100  # ms, the slowest page
SLOWEST = 5  # that are told
# Besides each page as it is opened first.
NARROWED = (
    "/incidents?status=resolved",
    "/incidents?status=any",
    "/incidents?status=any&q=disk",
    "/incidents?status=any&service=bench-7&severity=high",
    "/incidents?status=any&sort=severity",
    "/notifications?status=sent",
)
# A year of figures is counted anew for whoever asks. It is told, and is no page that opens first.
YEARS = ("/analytics?range=365", "/analytics/frequency?range=365", "/analytics/people?range=365")
# Of each incident: it was paged for twice, answered after minutes, commented on, and ended.
_STORIES = """
    INSERT INTO timeline_events (incident_id, user_id, event_type, description, created_at)
    SELECT i.id, CASE WHEN one.kind <> 'escalation_step' THEN 1 + i.id % 8 END, one.kind,
        one.words, i.created_at + one.after
    FROM incidents i CROSS JOIN (VALUES
        ('escalation_step', 'Step 1 of “bench” paged Person 3 by email.', interval '1 second'),
        ('escalation_step', 'Step 2 of “bench” paged Person 4 by email.', interval '5 minutes'),
        ('acknowledged', 'Person 4 acknowledged the incident.', interval '7 minutes'),
        ('commented', 'Person 4 commented.', interval '9 minutes'),
        ('resolved', 'Person 4 resolved the incident.', interval '20 minutes')
    ) AS one (kind, words, after)
    WHERE i.source = 'bench' AND (i.status = 'resolved' OR one.kind = 'escalation_step')
"""
_COMMENTS = """
    INSERT INTO incident_comments (incident_id, user_id, content, created_at)
    SELECT id, 1 + id % 8, 'The volume of **db-7** fills; old logs are being moved.',
        created_at + interval '9 minutes'
    FROM incidents WHERE source = 'bench' AND status = 'resolved'
"""
_ANSWERS = """
    UPDATE incidents SET first_acknowledged_at = created_at + interval '7 minutes',
        first_acknowledged_by = 1 + id % 8, resolved_by = 1 + id % 8
    WHERE source = 'bench' AND status = 'resolved'
"""
_PAGED = """
    INSERT INTO notifications (kind, incident_id, escalation_id, loop, step, action, recipient,
        rule, channel, user_id, status, due_at, claimed_at, sent_at, created_at, updated_at)
    SELECT 'page', e.incident_id, e.id, 0, step, 0, 'user:' || 1 + e.incident_id % 8, 0, 'email',
        1 + e.incident_id % 8, 'sent', e.started_at, e.started_at, e.started_at, e.started_at,
        e.started_at
    FROM escalations e CROSS JOIN generate_series(0, 1) AS step
    WHERE e.policy_name = 'bench'
"""
_UNREAD = """
    INSERT INTO search_queue (incident_id)
    SELECT id FROM incidents WHERE id NOT IN (SELECT incident_id FROM search_words)
"""
_TABLES = ("incidents", "timeline_events", "incident_comments", "notifications", "search_words")


async def _fill(bench: Bench, url: str) -> dict[str, str]:
    """The demo, with years of others’ incidents around it; its passwords by mail address."""
    database = Database(url, pool_size=2)
    signer = Signer("a secret key that is long enough for the bench")
    seals = Keys(signer, Vault(signer.derive("vault")))
    try:
        made = await show.make(database, Passwords(4), seals, anew=False, beside=True)
    finally:
        await database.close()
    connection = await bench.connect(url)
    await seeds.people(connection)
    await seeds.incidents(connection, open_=OPEN, resolved=RESOLVED)
    await connection.execute(
        "SET session_replication_role = replica; SET synchronous_commit = off;"
        " SET statement_timeout = 0"
    )
    for statement in (_ANSWERS, _STORIES, _COMMENTS, _PAGED):
        await connection.execute(statement)
    await connection.execute("RESET ALL")
    await connection.execute(_UNREAD)
    await _read_words(url)
    for table in _TABLES:
        await connection.execute(f"VACUUM (ANALYZE) {table}")
    await connection.close()
    return {login.email: login.password for login in made.logins}


async def _read_words(url: str) -> None:
    """Have the search know all of them, as it does long before there are so many."""
    database = Database(url, pool_size=2)
    try:
        while await crud_search.is_anything_queued(database):
            await database.write(crud_search.read_next)
    finally:
        await database.close()


async def _addresses(url: str) -> list[str]:
    """Where each page of the console is."""
    database = Database(url, pool_size=2)
    try:
        found = [
            await pages.address(template, database)
            for template in pages.templates()
            if not pages.is_public(template)
        ]
    finally:
        await database.close()
    return [*found, *NARROWED, *YEARS]


def _sign_in(browser: httpx.Client, email: str, password: str) -> None:
    """Sign in by the form, as a browser does."""
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/login").text)
    assert token is not None
    form = {"csrf": token[1], "username": email, "password": password}
    answer = browser.post("/login", data=form)
    assert answer.status_code == 303, answer.text


def _first_byte(browser: httpx.Client, path: str) -> float:
    """How many milliseconds until the first byte of a page comes."""
    began = time.perf_counter()
    with browser.stream("GET", path) as answer:
        took = time.perf_counter() - began
        answer.read()
    assert answer.status_code in (200, 303), f"{answer.status_code} {path}"
    return took * 1000


async def measure(bench: Bench) -> list[Figure]:
    url = await bench.new_database()
    with bench.service(url) as service:
        passwords = await _fill(bench, url)
        bench.say(f"{OPEN + RESOLVED:,} incidents")
        headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
        with httpx.Client(base_url=service.url, headers=headers, timeout=30) as browser:
            email = next(iter(passwords))
            _sign_in(browser, email, passwords[email])
            taken = {
                path: statistics.median(_first_byte(browser, path) for _ in range(ASKED))
                for path in await _addresses(url)
            }
    years = {path: taken.pop(path) for path in YEARS}
    slowest = sorted(taken, key=lambda path: -taken[path])
    for path in slowest[:SLOWEST]:
        bench.say(f"{path}: {taken[path]:.0f} ms")
    for path, took in years.items():
        bench.say(f"{path}: {took:.0f} ms")
    worst = slowest[0]
    return [
        Figure("page_slowest", taken[worst], "ms",
               f"first byte of the slowest page of the console, of {len(taken)}: {worst}",
               goal=GOAL, smaller=True),
        Figure("page_median", statistics.median(taken.values()), "ms",
               "first byte of the page in their middle"),
        Figure("page_of_a_year", max(years.values()), "ms",
               "first byte of the slowest page of a year’s figures"),
        Figure("page_incidents", taken["/incidents"], "ms", "first byte of the list of incidents"),
    ]  # fmt: skip
