"""The fields that an installation adds to its incidents."""

from fastapi import APIRouter

from app.api.bounds import BoundedRoute

router = APIRouter(prefix="/custom-fields", tags=["custom fields"], route_class=BoundedRoute)
