"""What those who watch Tocsin see."""

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

watching = Group("Watching")


@watching
def figures(tour: Tour) -> None:
    """Prometheus can read the figures, or is told to bring the token."""
    answer = tour.send("GET", "/metrics")
    if answer.status_code == 401:  # this installation keeps them to itself
        check(answer.json()["code"] == "UNAUTHORIZED", "it refused in words of its own")
        return
    check(answer.status_code == 200, f"it answered {answer.status_code}")
    found = {family.name for family in text_string_to_metric_families(answer.text)}
    wanted = {
        "tocsin_step_lateness_seconds",
        "tocsin_page_lateness_seconds",
        "tocsin_steps_due",
        "tocsin_database_up",
    }
    check(wanted <= found, f"it leaves out {wanted - found}")
    check(tour.mark not in answer.text, "it tells what only those who log in may know")


@watching
def promises(tour: Tour) -> None:
    """Nothing is overdue."""
    told = tour.call("GET", "/health")
    check(not any((told["overdue"] or {}).values()), f"overdue: {told['overdue']}")
    check(told["database"]["takes_writes"], "the database takes no writes")
    check(set(told["backlog"]["messages"]) == set(told["channels"]), "a channel has no backlog")
