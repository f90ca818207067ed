"""What was sent to whom and how it went; sending again."""

from fastapi import APIRouter

from app.api.bounds import BoundedRoute

router = APIRouter(prefix="/notifications", tags=["notifications"], route_class=BoundedRoute)
