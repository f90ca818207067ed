"""Every bug that can be planted still has its place in the code."""

from pathlib import Path

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_changes_one_place(mutant: Mutant) -> None:
    assert (ROOT / Path(mutant.path)).read_text().count(mutant.was) == 1
    assert mutant.was != mutant.becomes
