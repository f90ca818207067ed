"""What the tour came to: a table for people, a file for programs, a status for the shell."""

import json
import statistics
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.e2e.tour import Tour

SLOWEST_MEAN = 100.0  # milliseconds; what the seed document promises


@dataclass(frozen=True)
class Result:
    """How one step went."""

    group: str
    name: str
    status: str  # passed, failed, skipped
    milliseconds: float
    calls: int
    problem: str | None = None


def uncalled(tour: Tour, optional: dict[str, str]) -> list[str]:
    """Routes that never succeeded, except those that had a reason not to."""
    succeeded = {call.route for call in tour.calls if call.status < 400}
    met = {call.route for call in tour.calls}
    return sorted(
        route for route in tour.routes - succeeded if route not in optional or route not in met
    )


def quotas_used(tour: Tour) -> dict[str, int]:
    """How much of each quota the run used up, so that nobody wonders who did."""
    counted = Counter[str]()
    for call in tour.calls:
        match call.route.split(), call.status:
            case ["POST", "/v1/auth/login/access-token"], 401:
                counted["wrong passwords (10 an account, 50 a client, in 15 minutes)"] += 1
            case ["POST", "/v1/auth/signup"], 202:
                counted["signups (3 an address, 30 a client, in an hour)"] += 1
            case ["POST", "/v1/auth/password-recovery"], 202:
                counted["recovery mails (3 an address, 30 a client, in an hour)"] += 1
            case ["POST", route], 201 | 202 if route.endswith(("/contact-methods", "/send-code")):
                counted["codes (5 a contact method, 20 a person, in an hour)"] += 1
            case ["POST", route], 202 if route.endswith("/test"):
                counted["test messages (20 a person, in an hour)"] += 1
            case ["POST", route], 202 if route.endswith("/resend"):
                counted["messages sent again (60 a person, in an hour)"] += 1
            case _:
                pass
    return dict(counted)


def summary(
    tour: Tour, results: list[Result], seconds: float, missing: list[str]
) -> dict[str, Any]:
    times = sorted(call.milliseconds for call in tour.calls)
    statuses = Counter(result.status for result in results)
    return {
        "base_url": str(tour.http.base_url),
        "tests": len(results),
        "passed": statuses["passed"],
        "failed": statuses["failed"],
        "skipped": statuses["skipped"],
        "routes": len(tour.routes),
        "routes_never_called": missing,
        "requests": len(times),
        "seconds": round(seconds, 2),
        "mean_ms": round(statistics.fmean(times), 1),
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
        "slowest_ms": round(times[-1], 1),
        "quotas_used": quotas_used(tour),
    }


def is_good(found: dict[str, Any]) -> bool:
    return bool(
        found["failed"] == 0
        and not found["routes_never_called"]
        and found["mean_ms"] < SLOWEST_MEAN
    )


def write(path: Path, found: dict[str, Any], results: list[Result]) -> None:
    steps = [asdict(result) for result in results]
    path.write_text(json.dumps({**found, "results": steps}, indent=2) + "\n", encoding="utf-8")


def show(found: dict[str, Any], results: list[Result]) -> None:
    group = ""
    for result in results:
        if result.group != group:
            group = result.group
            print(f"\n{group}")
        mark = {"passed": "ok", "failed": "FAILED", "skipped": "left out"}[result.status]
        print(f"  {mark:8}  {result.milliseconds:7.0f} ms  {result.calls:3}  {result.name}")
        if result.problem:
            print(f"            {result.problem}")
    print(
        f"\n{found['passed']} of {found['tests']} tests passed, {found['failed']} failed,"
        f" {found['skipped']} left out, in {found['seconds']} s."
    )
    never = found["routes_never_called"]
    print(f"{found['routes'] - len(never)} of {found['routes']} routes were called.")
    for route in never:
        print(f"  never: {route}")
    print(
        f"{found['requests']} requests: mean {found['mean_ms']} ms"
        f" (must be below {SLOWEST_MEAN:.0f}), median {found['p50_ms']},"
        f" 95 % within {found['p95_ms']}, slowest {found['slowest_ms']}."
    )
    print("Quotas are counted for each person; this run used:")
    for quota, number in found["quotas_used"].items():
        print(f"  {number} of {quota}")
