"""The time that a question about schedules is about."""

from typing import Annotated

from fastapi import Query

from app.schemas.rota import RotaTime

Since = Annotated[RotaTime | None, Query(description="Left out: now.")]
Until = Annotated[RotaTime | None, Query(description="Left out: 30 days after `since`.")]
