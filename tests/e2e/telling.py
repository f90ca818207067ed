"""Subscribers of the status page: they prove an address, choose and leave; admins look on."""

import csv
import io

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

telling = Group("Subscribers of the status page")

DOOR, LIST, IMPORTS = "/v1/public/subscribers", "/v1/subscribers", "/v1/subscriber-imports"
LINK = r"/status/subscribe/(\S+)/confirm"


@telling
def ask(tour: Tour) -> None:
    """Somebody asks, follows the link of the mail, and is told from then on."""
    address = f"sam-{tour.mark}@example.org"
    tour.call("POST", DOOR, expect=202, json={"address": address})
    tour.call("POST", DOOR, expect=422, code="INVALID_ADDRESS", json={"address": "nobody"})
    code = "SUBSCRIPTION_NOT_FOUND"
    tour.call("GET", f"{DOOR}/guess", expect=404, code=code)
    tour.call("PATCH", f"{DOOR}/guess", expect=404, code=code, json={"frequency": "daily"})
    tour.call("POST", f"{DOOR}/guess/confirm", expect=404, code=code)
    tour.call("POST", f"{DOOR}/guess/unsubscribe", expect=404, code=code)
    token = tour.mail_to(address, LINK)
    shown = tour.call("POST", f"{DOOR}/{token}/confirm")
    check(shown["state"] == "active", "the link did not count")
    check(address not in shown["address"], "the address is not masked")
    shown = tour.call("PATCH", f"{DOOR}/{token}", json={"frequency": "daily"})
    check(shown == tour.call("GET", f"{DOOR}/{token}"), "it is shown in another way")
    left = tour.call("POST", f"{DOOR}/{token}/unsubscribe")
    check(left["state"] == "unsubscribed", "nobody left")
    tour.call("GET", f"{DOOR}/x{token}", expect=404, code="SUBSCRIPTION_NOT_FOUND")


@telling
def look_after(tour: Tour) -> None:
    """An admin adds somebody, changes what they are told, and finds them again."""
    admin = tour.people["admin"]
    address = f"eva-{tour.mark}@example.org"
    body = {"address": address, "have_agreed": True}
    made = tour.call("POST", LIST, admin, expect=201, json=body)
    path = f"{LIST}/{made['id']}"
    tour.ids["subscriber"] = made["id"]
    tour.call("POST", LIST, admin, expect=409, code="ADDRESS_SUBSCRIBED", json=body)
    changed = tour.call("PATCH", path, admin, json={"frequency": "daily"})
    check(changed == tour.call("GET", path, admin), "it is shown in another way")
    found = tour.call("GET", f"{LIST}?search={address}", admin)["items"]
    check([one["id"] for one in found] == [made["id"]], "it is not found")
    masked = tour.call("GET", path, tour.people["responder"])
    check(masked["address"] != address, "everybody sees the address")
    answer = tour.send("GET", f"{LIST}/export", admin)
    check(address in answer.text, "it is not in the file")
    tour.call("DELETE", path, admin, expect=204)


@telling
def letters(tour: Tour) -> None:
    """What was sent is listed, and sent again."""
    admin = tour.people["admin"]
    body = {"address": f"ann-{tour.mark}@example.org"}
    made = tour.call("POST", LIST, admin, expect=201, json=body)
    listed = f"/v1/subscriber-deliveries?subscriber_id={made['id']}"
    tour.later("DELETE", f"{LIST}/{made['id']}")

    def ended() -> dict[str, object] | None:
        [letter] = tour.call("GET", listed, admin)["items"]
        return letter if letter["status"] in ("sent", "failed") else None

    letter = tour.until(ended, "the link was never sent")
    check(letter["kind"] == "confirmation", "that is no link")
    path = f"/v1/subscriber-deliveries/{letter['id']}/resend"
    again = tour.call("POST", path, admin, expect=202)
    check(again["is_resend"] is True, "it does not say so")
    tour.call("POST", "/v1/subscriber-deliveries/999999999/resend", admin, expect=404)


@telling
def files(tour: Tour) -> None:
    """A file is taken in, and its bad lines are reported."""
    admin = tour.people["admin"]
    good, bad = f"ben-{tour.mark}@example.org", "nobody"
    text = f"address,frequency\n{good},daily\n{bad},\n"
    made = tour.call(
        "POST", f"{IMPORTS}?name=people.csv&have_agreed=true", admin, expect=202, content=text
    )
    path = f"{IMPORTS}/{made['id']}"

    def finished() -> dict[str, int] | None:
        file = tour.call("GET", path, admin)
        return file if file["state"] == "finished" else None

    file = tour.until(finished, "the file was never taken in")
    check((file["added"], file["refused"]) == (1, 1), "the counts are wrong")
    answer = tour.send("GET", f"{path}/report", admin)
    [line] = csv.DictReader(io.StringIO(answer.text))
    check((line["line"], line["address"]) == ("3", bad), "the report names another line")
    listed = tour.call("GET", IMPORTS, admin)["items"]
    check(made["id"] in {one["id"] for one in listed}, "the file is not listed")
    [added] = tour.call("GET", f"{LIST}?search={good}", admin)["items"]
    tour.call("DELETE", f"{LIST}/{added['id']}", admin, expect=204)
    tour.call("POST", IMPORTS, admin, expect=422, code="SUBSCRIBER_FILE_UNREADABLE", content="x")
