"""Files of subscribers in the console: sent, watched while they are taken in, and their report."""

from typing import ClassVar

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from app.api import subscriber_files
from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import TocsinError
from app.crud import crud_subscriber_import
from app.crud.base import Window
from app.db.session import transaction_time
from app.domain.subscriber_import import LARGEST_FILE
from app.services import subscriber_import as import_service
from app.web import flash, forms, listing
from app.web.deps import AdminDep, Visitor
from app.web.templating import render

AROUND = 10_000  # bytes of a form besides its file


class FilePage(BoundedRoute):
    """Takes a form with a file in it."""

    largest: ClassVar[int] = LARGEST_FILE + AROUND


router = APIRouter(prefix="/subscribers/imports", include_in_schema=False, route_class=FilePage)


@router.get("")
async def show_list(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    return await _list(request, visitor, service, {})


@router.post("")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    form = await request.form()
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _list(request, visitor, service, {"file": "Choose a file."})
    content = await file.read()
    await file.close()
    try:
        async with service.database.writing() as session:
            made = await import_service.start(
                session,
                "".join(one for one in file.filename if one.isprintable())[:255] or "file",
                content,
                have_agreed=form.getlist("have_agreed")[-1:] == ["true"],
                by=visitor.user,
                now=await transaction_time(session),
            )
    except TocsinError as error:
        return await _list(request, visitor, service, forms.faults_of(error))
    return flash.back(request, f"/subscribers/imports/{made.id}")


@router.get("/{import_id}")
async def show(
    request: Request, visitor: AdminDep, service: ServiceDep, import_id: KeyPath, part: str = ""
) -> Response:
    async with service.database.reading() as session:
        file = await import_service.require(session, import_id)
        refused = await crud_subscriber_import.refused(session, import_id, after=0, limit=20)
    return render(
        request,
        visitor,
        "subscribers/import.html",
        block="progress" if part == "progress" else None,
        file=file,
        refused=list(import_service.report_cells(refused)),
    )


@router.get("/{import_id}/report")
async def report(_: AdminDep, service: ServiceDep, import_id: KeyPath) -> Response:
    async with service.database.reading() as session:
        await import_service.require(session, import_id)
    return await subscriber_files.report(service.database, import_id)


async def _list(
    request: Request, visitor: Visitor, service: Service, errors: dict[str, str]
) -> Response:
    number = listing.page_of(request)
    async with service.database.reading() as session:
        found = await crud_subscriber_import.list_page(session, Window(listing.PER_PAGE, number))
    return render(
        request,
        visitor,
        "subscribers/imports.html",
        status=422 if errors else 200,
        found=listing.shown(found, number),
        errors=errors,
    )
