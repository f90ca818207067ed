"""The addresses a person is reached at, and the proof that they are theirs."""

from fastapi import APIRouter

from app.api.bounds import BoundedRoute

router = APIRouter(tags=["contact methods"], route_class=BoundedRoute)
