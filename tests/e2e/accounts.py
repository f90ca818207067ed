"""Doors that are open to everybody, logins, and people."""

import secrets

from tests.e2e.steps import Group
from tests.e2e.tour import Caller, Tour, check

doors = Group("Open doors")
auth = Group("Logins")
people = Group("People")

LOGIN = "/v1/auth/login/access-token"


@doors
def home(tour: Tour) -> None:
    """The front door tells programs where everything is."""
    told = tour.call("GET", "/", headers={"Accept": "application/json"})
    check(told["name"] == "Tocsin", "it has another name")
    browser = {"Accept": "text/html"}
    asked = tour.send("GET", "/", headers=browser)
    check(asked.status_code == 303, "a browser is not asked who it is")
    page = tour.send("GET", asked.headers["location"], headers=browser)
    check("text/html" in page.headers["content-type"], "a browser gets no page")


@doors
def health(tour: Tour) -> None:
    """Health names the database, the loops and every channel."""
    told = tour.call("GET", "/health")
    check(told["status"] == "ok", f"it is {told['status']}")
    check(set(told["channels"]) >= {"email", "sms", "push", "chat", "webhook"}, "channels missing")


@doors
def ready(tour: Tour) -> None:
    """This replica is ready."""
    check(tour.call("GET", "/ready")["ready"], "it is not")


@doors
def documentation(tour: Tour) -> None:
    """Swagger UI and ReDoc are served, under safe headers."""
    for path in ("/docs", "/redoc"):
        page = tour.send("GET", path)
        check(page.status_code == 200, f"{path} answered {page.status_code}")
        check(page.headers["x-content-type-options"] == "nosniff", f"{path} may be sniffed")


@doors
def request_id(tour: Tour) -> None:
    """A request's id comes back, in the header and in an error."""
    answer = tour.send("GET", "/v1/nowhere", headers={"X-Request-ID": tour.mark})
    check(answer.status_code == 404, f"nowhere answered {answer.status_code}")
    check(answer.headers["x-request-id"] == tour.mark, "another id came back")
    check(answer.json()["request_id"] == tour.mark, "the error bears another id")


@auth
def wrong_password(tour: Tour) -> None:
    """A wrong password and an unknown address get the same refusal."""
    admin = tour.people["admin"]
    for name in (admin.email, f"nobody.{tour.mark}@example.test"):
        body = {"username": name, "password": "wrong"}
        tour.call("POST", LOGIN, expect=401, code="WRONG_CREDENTIALS", json=body)


@auth
def test_token(tour: Tour) -> None:
    """An access token can be tested."""
    admin = tour.people["admin"]
    me = tour.call("POST", "/v1/auth/login/test-token", admin)
    check(me["is_superuser"], "the admin is none")
    forged = {"Authorization": "Bearer x.y.z"}
    tour.call("POST", "/v1/auth/login/test-token", expect=401, headers=forged)


@people
def create(tour: Tour) -> None:
    """An admin makes accounts of every role."""
    for role in ("responder", "viewer"):
        tour.person(role, role)
    tour.person("bystander", "responder")


@people
def taken_address(tour: Tour) -> None:
    """An address that is taken is refused."""
    body = {"email": tour.people["responder"].email.upper(), "password": "passphrase"}
    admin = tour.people["admin"]
    tour.call("POST", "/v1/users", admin, expect=409, code="EMAIL_TAKEN", json=body)


@people
def faulty_account(tour: Tour) -> None:
    """A faulty account is refused with the place of each fault."""
    body = {"email": "no address", "password": "short", "role": "king"}
    refusal = tour.call("POST", "/v1/users", tour.people["admin"], expect=422, json=body)
    paths = {fault["path"] for fault in refusal["details"]["errors"]}
    check(paths == {"email", "password", "role"}, f"faults were told at {paths}")


@people
def read_people(tour: Tour) -> None:
    """People are listed and read."""
    viewer, responder = tour.people["viewer"], tour.people["responder"]
    page = tour.call("GET", "/v1/users?per_page=1", viewer)
    check(len(page["items"]) == 1 and page["next_cursor"], "the list has no pages")
    one = tour.call("GET", f"/v1/users/{responder.id}", viewer)
    check(one["email"] == responder.email, "somebody else came back")
    tour.call("GET", "/v1/users/999999999", viewer, expect=404, code="USER_NOT_FOUND")


@people
def change_me(tour: Tour) -> None:
    """People change their own name, phone and time zone."""
    fields = {"full_name": "Rita Responder", "phone": "+4930123456", "time_zone": "Europe/Berlin"}
    me = tour.call("PATCH", "/v1/users/me", tour.people["responder"], json=fields)
    check({name: me[name] for name in fields} == fields, "it did not change")
    tour.call("PATCH", "/v1/users/me", tour.people["responder"], expect=422, json={"role": "admin"})


@people
def change_somebody(tour: Tour) -> None:
    """An admin changes an account, and deactivates it."""
    admin, bystander = tour.people["admin"], tour.people["bystander"]
    path = f"/v1/users/{bystander.id}"
    tour.call("PATCH", path, admin, json={"full_name": "Bea Bystander"})
    tour.call("PATCH", path, admin, json={"is_active": False})
    tour.call("GET", "/v1/users/me", bystander, expect=401)
    tour.call("PATCH", path, admin, json={"is_active": True})


@people
def delete(tour: Tour) -> None:
    """A deleted account is gone, and its address is free again."""
    admin, gone = tour.people["admin"], tour.person("gone", "viewer")
    tour.call("DELETE", f"/v1/users/{gone.id}", admin, expect=204)
    tour.call("GET", f"/v1/users/{gone.id}", admin, expect=404)
    tour.call("GET", "/v1/users/me", gone, expect=401)


@auth
def refresh(tour: Tour) -> None:
    """A refresh token is good once; the second time ends the login."""
    victim = tour.person("victim", "viewer")
    first = {"refresh_token": victim.refresh_token}
    pair = tour.call("POST", "/v1/auth/refresh", json=first)
    tour.call("POST", "/v1/auth/refresh", expect=401, code="REFRESH_TOKEN_REFUSED", json=first)
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    tour.call("GET", "/v1/users/me", expect=401, headers=headers)


@auth
def sessions(tour: Tour) -> None:
    """People see their logins, end one of them, and log out."""
    viewer = tour.people["viewer"]
    other = _again(tour, viewer)
    listed = tour.call("GET", "/v1/auth/sessions", viewer)["items"]
    newest = next(one for one in listed if not one["is_current"])
    tour.call("DELETE", f"/v1/auth/sessions/{newest['id']}", viewer, expect=204)
    tour.call("GET", "/v1/users/me", other, expect=401)
    third = _again(tour, viewer)
    tour.call("POST", "/v1/auth/logout", third, expect=204)
    tour.call("GET", "/v1/users/me", third, expect=401)


@auth
def own_password(tour: Tour) -> None:
    """A new password ends every login of before and begins one."""
    viewer = tour.people["viewer"]
    chosen = secrets.token_urlsafe(12)
    wrong = {"current_password": "guess", "new_password": chosen}
    path = "/v1/users/me/password"
    tour.call("PUT", path, viewer, expect=422, code="WRONG_PASSWORD", json=wrong)
    body = {"current_password": viewer.password, "new_password": chosen}
    pair = tour.call("PUT", path, viewer, json=body)
    tour.call("GET", "/v1/users/me", viewer, expect=401)
    viewer.headers = {"Authorization": f"Bearer {pair['access_token']}"}
    viewer.password = chosen
    tour.call("GET", "/v1/users/me", viewer)


@auth
def signup(tour: Tour) -> None:
    """Signing up tells nothing; the link in the mail makes the account."""
    email = f"newcomer.{tour.mark}@example.test"
    body = {"email": email, "password": secrets.token_urlsafe(12)}
    known = {**body, "email": tour.people["responder"].email}
    told = [tour.call("POST", "/v1/auth/signup", expect=202, json=one) for one in (body, known)]
    check(told[0] == told[1], "the answers differ")
    path = "/v1/auth/signup/confirm"
    tour.call("POST", path, expect=422, code="LINK_NOT_GOOD", json={"token": "guess"})
    token = tour.mail_to(email, r"/account/signup/(\S+)")
    made = tour.call("POST", path, expect=201, json={"token": token})
    tour.later("DELETE", f"/v1/users/{made['id']}")
    check(made["role"] in ("viewer", "responder"), f"it became {made['role']}")


@auth
def recovery(tour: Tour) -> None:
    """A forgotten password is set anew with the link in the mail."""
    caller = tour.people["bystander"]
    for email in (caller.email, f"nobody.{tour.mark}@example.test"):
        tour.call("POST", "/v1/auth/password-recovery", expect=202, json={"email": email})
    path = "/v1/auth/reset-password"
    wrong = {"token": "guess", "new_password": "passphrase"}
    tour.call("POST", path, expect=422, code="LINK_NOT_GOOD", json=wrong)
    token = tour.mail_to(caller.email, r"/account/reset/(\S+)")
    chosen = secrets.token_urlsafe(12)
    tour.call("POST", path, json={"token": token, "new_password": chosen})
    tour.log_in("bystander", caller.email, chosen)


def _again(tour: Tour, caller: Caller) -> Caller:
    """Another login of the same person, beside the one there is."""
    return tour.log_in("again", caller.email, caller.password)
