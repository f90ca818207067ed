"""No request waits for a thread: FastAPI sends whatever is not `async` to one, which costs more
than all that our dependencies do, and there are 40 for the whole process.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from app.api.deps import service_of


def calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """The endpoint, and all that is asked before it."""
    if dependant.call is not None:
        yield dependant.call
    for needed in dependant.dependencies:
        yield from calls(needed)


def is_async(call: Callable[..., Any]) -> bool:
    function = call if inspect.isroutine(call) else type(call).__call__
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def test_no_endpoint_and_no_dependency_takes_a_thread(built: FastAPI) -> None:
    routes = [
        route.dependant
        for route in iter_route_contexts(built.router.routes)
        if getattr(route, "dependant", None) is not None
    ]
    asked = {call for dependant in routes for call in calls(dependant)}
    assert service_of in asked  # else we looked in the wrong place
    assert sorted(call.__qualname__ for call in asked if not is_async(call)) == []
