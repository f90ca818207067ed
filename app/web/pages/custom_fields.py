"""The fields that an installation adds to its incidents, for admins."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.core.errors import NotFoundError
from app.crud import crud_custom_field
from app.crud.base import Window
from app.crud.crud_custom_field import FieldOrder
from app.db.session import ReadSession, transaction_time
from app.domain.custom_field import KEY_FORM, FieldType
from app.models import CustomField
from app.schemas.custom_field import CustomFieldCreate, CustomFieldUpdate
from app.services import custom_field as custom_field_service
from app.web import asked, flash, forms, incident_form, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import AdminDep, Visitor
from app.web.templating import render

router = APIRouter(prefix="/settings/fields", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/settings/fields"
FieldKey = Annotated[str, Path(pattern=KEY_FORM)]
TYPES = {
    FieldType.TEXT: "Text",
    FieldType.NUMBER: "Number",
    FieldType.BOOLEAN: "Yes or no",
    FieldType.DATE: "Date",
    FieldType.URL: "Address (URL)",
    FieldType.SELECT: "One of a list",
    FieldType.MULTI_SELECT: "Some of a list",
}


@router.get("")
async def show_list(
    request: Request, visitor: AdminDep, service: ServiceDep, archived: str = ""
) -> HTMLResponse:
    window = Window(listing.PER_PAGE, listing.page_of(request), order=FieldOrder.POSITION)
    async with service.database.reading() as session:
        found = await crud_custom_field.list_page(session, window, archived=bool(archived))
    return render(
        request,
        visitor,
        "settings/fields.html",
        found=listing.shown(found, window.page),
        archived="1" if archived else "",
        types={kind.value: words for kind, words in TYPES.items()},
    )


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep) -> Response:
    return _form(request, visitor, None, {"type": FieldType.TEXT.value, "position": "0"}, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        wanted = {**_body(given), "key": given.get("key", ""), "type": given.get("type", "")}
        body = incident_form.shaped(CustomFieldCreate, wanted, given)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await custom_field_service.create(session, body.model_dump(), now=now)
    except REFUSED as fault:
        return _form(request, visitor, None, given, asked.told(fault))
    return flash.back(request, PLACE, f"Incidents are asked for “{body.label}” from now on.")


@router.get("/{key}/edit")
async def show_edit(
    request: Request, visitor: AdminDep, service: ServiceDep, key: FieldKey
) -> Response:
    async with service.database.reading() as session:
        field = await _require(session, key)
    given = {
        "label": field.label,
        "options": "\n".join(field.options),
        "description": field.description or "",
        "position": field.position,
        **meanwhile.seen(field),
    }
    return _form(request, visitor, field, given, {})


@router.post("/{key}/edit")
async def edit(request: Request, visitor: AdminDep, service: ServiceDep, key: FieldKey) -> Response:
    given = await forms.given(request)
    async with service.database.reading() as session:
        field = await _require(session, key)
    try:
        wanted = _body(given)
        if not field.type.is_choice:
            wanted.pop("options")
        body = incident_form.shaped(CustomFieldUpdate, wanted, given)
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await custom_field_service.update(session, key, fields, now=now)
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return _form(request, visitor, field, given, asked.told(fault))
    return flash.back(request, PLACE, "Your changes are saved.")


@router.post("/{key}/archive")
async def archive(
    request: Request, visitor: AdminDep, service: ServiceDep, key: FieldKey
) -> Response:
    async with service.database.writing() as session:
        await custom_field_service.archive(session, key, now=await transaction_time(session))
    return flash.back(request, PLACE, "It is not asked for any more. Old values stay.")


async def _require(session: ReadSession, key: str) -> CustomField:
    found = await crud_custom_field.get(session, key)
    if found is None:
        raise NotFoundError("custom field", key)
    return found


def _body(given: dict[str, Any]) -> dict[str, Any]:
    lines = (line.strip() for line in given.get("options", "").splitlines())
    return {
        "label": given.get("label", ""),
        "options": [line for line in lines if line],
        "position": asked.typed_number(given.get("position")) or 0,
        **asked.texts(given, "description"),
    }


def _form(
    request: Request,
    visitor: Visitor,
    field: CustomField | None,
    given: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    return render(
        request,
        visitor,
        "settings/field.html",
        status=422 if errors else 200,
        field=field,
        given=given,
        errors=errors,
        types=[(kind.value, words) for kind, words in TYPES.items()],
    )
