"""The whole service over real HTTP: every route at least once, with its roles and refusals.

    python run_e2e_tests.py                           a server at http://127.0.0.1:8000, or else
                                                      one of its own that is thrown away
    python run_e2e_tests.py --base-url https://…      a server that runs elsewhere

Prints a table, writes e2e_results.json, and exits with 0 only if every test passed, every route
was called and the mean answer took less than 100 ms. What it makes it removes again (integrations,
which nothing deletes, it switches off). Its incidents are of a service of its own; a policy of
yours that matches every service pages for them.
"""

import argparse
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import httpx

from app.db.embedded import default_data_dir
from tests.e2e import (
    accounts,
    calendars,
    catalogue,
    duty,
    heartbeats,
    incidents,
    keys,
    learned,
    nights,
    paging,
    policies,
    reaching,
    report,
    retries,
    roles,
    schedules,
    server,
    status,
    streams,
    subscribers,
    telling,
    templates,
    watching,
)
from tests.e2e.runner import take
from tests.e2e.server import Login, NoServerError, Server
from tests.e2e.tour import Tour

STEPS = [
    *accounts.doors.steps,
    *accounts.people.steps,
    *accounts.auth.steps,
    *policies.policies.steps,
    *incidents.incidents.steps,
    *incidents.fields.steps,
    *templates.templates.steps,
    *retries.retries.steps,
    *policies.tools.steps,
    *subscribers.subscribers.steps,
    *catalogue.catalogue.steps,
    *heartbeats.heartbeats.steps,
    *schedules.schedules.steps,
    *duty.duty.steps,
    *learned.learned.steps,
    *calendars.calendars.steps,
    *status.status.steps,
    *telling.telling.steps,
    *paging.paging.steps,
    *reaching.methods.steps,
    *reaching.messages.steps,
    *streams.streams.steps,
    *keys.keys.steps,
    *roles.roles.steps,
    *nights.nights.steps,
    *watching.watching.steps,
]
# Routes that need somebody else to have done something; they must be called, and may be refused.
OPTIONAL = {
    "POST /v1/auth/signup/confirm": "needs a mail",
    "POST /v1/auth/reset-password": "needs a mail",
    "POST /v1/users/{user_id}/contact-methods/{contact_method_id}/verify": "needs a mail",
    **{
        f"{route} /v1/public/subscribers/{{token}}{rest}": "needs a mail"
        for route, rest in (
            ("GET", ""),
            ("PATCH", ""),
            ("POST", "/confirm"),
            ("POST", "/unsubscribe"),
        )
    },
    "POST /v1/receipts/{token}": "needs the link that only a provider gets",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--base-url", help=f"the server to test; else {server.USUAL} if it runs")
    parser.add_argument("--admin-email", default=os.environ.get("TOCSIN_FIRST_ADMIN_EMAIL"))
    parser.add_argument(
        "--outbox", type=Path, help="where a server without a mail server keeps its mail"
    )
    parser.add_argument("--results", type=Path, default=Path("e2e_results.json"))
    return parser.parse_args()


def admin_of(given: argparse.Namespace) -> Login | None:
    password = os.environ.get("TOCSIN_E2E_PASSWORD") or os.environ.get(
        "TOCSIN_FIRST_ADMIN_PASSWORD"
    )
    return Login(given.admin_email, password) if given.admin_email and password else None


def outbox_of(given: argparse.Namespace) -> Path | None:
    folder = os.environ.get("TOCSIN_DATA_DIR")
    guessed = (Path(folder) if folder else default_data_dir()) / "outbox"
    chosen: Path = given.outbox or guessed
    return chosen if chosen.parent.is_dir() else None


def tested(given: argparse.Namespace, found: Server) -> bool:
    """Take the tour; whether all is well."""
    print(f"Testing {found.url}")
    with httpx.Client(base_url=found.url, timeout=30) as http:
        started = time.perf_counter()
        tour = Tour(http, found.outbox, is_guess=found.outbox_is_guess)
        admin = tour.log_in("admin", found.admin.email, found.admin.password)
        if found.admin_is_ours:
            tour.later("DELETE", f"/v1/users/{admin.id}")  # the first told is the last done
        results = take(tour, STEPS)
        seconds = time.perf_counter() - started
        missing = report.uncalled(tour, OPTIONAL)
        summary = report.summary(tour, results, seconds, missing)
    report.show(summary, results)
    report.write(given.results, summary, results)
    return report.is_good(summary)


def main() -> int:
    given = arguments()
    try:
        if given.base_url is None and not server.runs(server.USUAL):
            print("No server runs here; one is started for this run.")
            context = server.own()
        else:
            url = (given.base_url or server.USUAL).rstrip("/")
            outbox, is_guess = outbox_of(given), given.outbox is None
            found = server.running(url, admin_of(given), outbox, outbox_is_guess=is_guess)
            context = nullcontext(found)
        with context as found:
            return 0 if tested(given, found) else 1
    except NoServerError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
