"""What the log tells of postmortems, action items and summaries."""

from tests.api.audited_duty import Tour
from tests.postmortems import publicly_known, resolved
from tests.world import Person


async def learned(tour: Tour, admin: Person) -> None:
    template = "/v1/postmortem-template"
    said = "postmortem_template.created"
    await tour.do(f"PUT {template}", admin, said, json={"impact": "Who noticed?"})
    await tour.do(f"DELETE {template}", admin, "postmortem_template.deleted")

    incident_id = await resolved(tour.world, admin, title="Learned from")
    await publicly_known(tour.world, incident_id)
    one, which = "/v1/incidents/{incident_id}/postmortem", {"incident_id": incident_id}
    made = await tour.do(f"POST {one}", admin, "postmortem.created", json={}, **which)
    text = {"public_summary": "It was slow."}
    await tour.do(f"PATCH {one}", admin, "postmortem.updated", json=text, **which)
    await tour.do(f"POST {one}/submit", admin, "postmortem.submitted", **which)
    await tour.do(f"POST {one}/approve", admin, "postmortem.approved", **which)
    await tour.do(f"POST {one}/return", admin, "postmortem.returned", **which)
    said = "postmortem.published postmortem.updated"
    await tour.do(f"POST {one}/publish", admin, said, json={"is_public": True}, **which)
    await tour.do(f"POST {one}/withdraw", admin, "postmortem.updated", **which)

    items, item = "/v1/postmortems/{postmortem_id}/action-items", "/v1/action-items/{item_id}"
    body = {"title": "Rotate the logs"}
    said = "action_item.created"
    promised = await tour.do(f"POST {items}", admin, said, json=body, postmortem_id=made["id"])
    this = {"item_id": promised["id"]}
    await tour.do(f"PATCH {item}", admin, "action_item.updated", json={"state": "done"}, **this)
    await tour.do(f"DELETE {item}", admin, "action_item.deleted", **this)

    path = "PUT /v1/users/{user_id}/digest-settings"
    said = "digest_preference.created"
    await tour.do(path, admin, said, json={"frequency": "daily"}, user_id="me")
    said = "digest_preference.updated"
    await tour.do(path, admin, said, json={"frequency": "off"}, user_id="me")
