"""The list of steps, in the order in which they are taken."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.tour import Tour

Play = Callable[[Tour], None]


@dataclass(frozen=True)
class Step:
    group: str
    name: str
    play: Play


class Group:
    """Steps about one thing. Each is named by the first line of its docstring."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: list[Step] = []

    def __call__(self, play: Play) -> Play:
        assert play.__doc__
        self.steps.append(Step(self.name, play.__doc__.splitlines()[0].rstrip("."), play))
        return play
