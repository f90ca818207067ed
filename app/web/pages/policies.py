"""Escalation policies: the list, and the form in which one is written, with what it would do
beside it. Whoever is no admin reads it, and may try it all the same."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import NotFoundError, TocsinError
from app.crud import crud_escalation
from app.crud.base import Window
from app.crud.crud_escalation import PolicyOrder
from app.db.session import ReadSession, transaction_time
from app.models import EscalationPolicy
from app.schemas.escalation import PolicyCreate, PolicyUpdate
from app.services import policy as policy_service
from app.web import (
    choices,
    condition_form,
    flash,
    forms,
    listing,
    policy_form,
    policy_page,
    policy_rehearsal,
    policy_words,
    tree_form,
)
from app.web.deps import AdminDep, Visitor, VisitorDep
from app.web.forms import FormFault
from app.web.policy_page import Writing, as_text, draw
from app.web.templating import render

router = APIRouter(prefix="/policies", include_in_schema=False, route_class=BoundedRoute)

NO_JSON = "This is no JSON"


@router.get("")
async def show_list(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    number = listing.page_of(request)
    window = Window(listing.PER_PAGE, number, order=PolicyOrder.NAME)
    async with service.database.reading() as session:
        found = await crud_escalation.policy_page(session, window)
        offered = await choices.offered(session, now=visitor.now)
    names = policy_words.names(offered)
    return render(
        request,
        visitor,
        "policies/list.html",
        found=listing.shown(found, number),
        told={one.id: condition_form.told(one.conditions) for one in found.items},
        steps={one.id: policy_words.steps(one.steps, names) for one in found.items},
        teams={one.id: one.name for one in offered.teams},
    )


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    return await draw(request, visitor, service, Writing(policy_form.fresh()))


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    async def save(document: dict[str, Any]) -> str:
        body = forms.shaped(PolicyCreate, document, {})
        fields = body.model_dump(mode="json", exclude_none=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await policy_service.create(session, fields, service.objection, now=now)
            return f"/policies/{made.id}"

    return await _written(request, visitor, service, None, save)


@router.post("/simulate")
async def simulate(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    """Who would be paged, when, by what the form says; nothing is sent or kept."""
    given = await forms.given(request)
    number = forms.key_of(given.get("_policy_id", ""))
    try:
        if number is not None and "name" not in given and "_json" not in given:
            async with service.database.reading() as session:
                document = policy_form.document_of(await _require(session, number))
        else:
            document = await _document(request)
        told = await policy_rehearsal.rehearse(service, visitor, document, given)
    except FormFault as fault:
        told = {"faults": fault.errors}
    return render(request, visitor, "policies/simulation.html", block="simulation", told=told)


@router.get("/{policy_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, policy_id: KeyPath, view: str = ""
) -> Response:
    async with service.database.reading() as session:
        policy = await _require(session, policy_id)
        offered = await choices.offered(session, now=visitor.now)
    document = policy_form.document_of(policy)
    if visitor.may_administer:
        text = as_text(document) if view == "json" else None
        draft = policy_form.draft_of(document)
        return await draw(request, visitor, service, Writing(draft, policy, text=text))
    names = policy_words.names(offered)
    return render(
        request,
        visitor,
        "policies/show.html",
        policy=policy,
        conditions=condition_form.told(policy.conditions),
        steps=policy_words.steps(policy.steps, names),
        told=None,
        services=[one.name for one in offered.services],
    )


@router.post("/{policy_id}")
async def update(
    request: Request, visitor: AdminDep, service: ServiceDep, policy_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        policy = await _require(session, policy_id)
    seen = (await forms.given(request)).get("_revision", "")

    async def save(document: dict[str, Any]) -> str:
        body = forms.shaped(PolicyUpdate, document, {})
        fields = body.model_dump(mode="json", exclude_unset=True)
        if body.steps is not None:
            fields["steps"] = [
                step.model_dump(mode="json", exclude_none=True) for step in body.steps
            ]
        async with service.database.writing() as session:
            held = await crud_escalation.lock_policy(session, policy_id)
            if held is not None and seen and seen != str(held.revision):
                raise FormFault({}, {"": policy_page.CHANGED_MEANWHILE})
            now = await transaction_time(session)
            await policy_service.update(session, policy_id, fields, service.objection, now=now)
        return f"/policies/{policy_id}"

    return await _written(request, visitor, service, policy, save, revision=seen)


@router.post("/{policy_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, policy_id: KeyPath
) -> Response:
    try:
        async with service.database.writing() as session:
            await policy_service.remove(session, policy_id)
    except NotFoundError:
        raise
    except TocsinError as error:
        return flash.back(request, f"/policies/{policy_id}", error.message)
    return flash.back(request, "/policies", "The policy is deleted. What it started goes on.")


async def _written(
    request: Request,
    visitor: Visitor,
    service: Service,
    policy: EscalationPolicy | None,
    save: policy_page.Saving,
    *,
    revision: str = "",
) -> Response:
    """The form after one of its buttons: changed by it, or saved, or with what is wrong."""
    given = await forms.given(request)
    do, text = given.get("_do", ""), given.get("_json")
    draft = await _typed(request)
    errors: dict[str, str] = {}
    try:
        document = await _document(request)
        if do:
            writing = await _after(service, visitor, policy, draft, document, given)
            is_part = "hx-request" in request.headers and do not in ("json", "form", "rehearse")
            block = "builder" if is_part else None
            writing = writing.of(writing.draft, revision=revision)
            return await draw(request, visitor, service, writing, block=block)
        return flash.back(request, await save(document), "The policy is saved.")
    except FormFault as fault:
        errors = fault.errors
    except NotFoundError:
        raise
    except TocsinError as error:
        errors = forms.faults_of(error)
    if text is None:
        draft = policy_form.tidied(draft)
    writing = Writing(draft, policy, errors, text=text, revision=revision)
    return await draw(request, visitor, service, writing)


async def _after(
    service: Service,
    visitor: Visitor,
    policy: EscalationPolicy | None,
    draft: dict[str, Any],
    document: dict[str, Any],
    given: dict[str, str],
) -> Writing:
    do = given["_do"]
    if do == "json":
        return Writing(draft, policy, text=as_text(document))
    if do == "form":
        document = forms.shaped(PolicyCreate, document, {}).model_dump(mode="json")
        return Writing(policy_form.draft_of(document), policy)
    if do == "rehearse":
        told = await policy_rehearsal.rehearse(service, visitor, document, given)
        return Writing(draft, policy, text=given.get("_json"), told=told)
    return Writing(tree_form.changed(draft, do, policy_form.blanks()), policy)


async def _document(request: Request) -> dict[str, Any]:
    """What was written, as a form or as JSON, as the API takes it."""
    text = (await forms.given(request)).get("_json")
    if text is None:
        document = policy_form.document_from(await _typed(request))
        forms.typed_as(PolicyCreate, document)
        return document
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        words = f"{NO_JSON}: line {error.lineno}, column {error.colno}: {error.msg}."
        raise FormFault({}, {"_json": words}) from None
    except RecursionError:
        raise FormFault({}, {"_json": f"{NO_JSON}: it nests too deep."}) from None
    if not isinstance(found, dict):
        raise FormFault({}, {"_json": "A policy is an object: { … }."})
    return found


async def _typed(request: Request) -> dict[str, Any]:
    draft: dict[str, Any] = tree_form.fitted(await forms.tree(request), policy_form.MOULD)
    return draft


async def _require(session: ReadSession, policy_id: int) -> EscalationPolicy:
    policy = await crud_escalation.get_policy(session, policy_id)
    if policy is None:
        raise NotFoundError("policy", policy_id)
    return policy
