"""Which texts of a catalog the steps of a plan have written."""

from __future__ import annotations

import pytest

from tests.plans import make_plan, transactional
from wesley_tui.services.verification import made_by


@pytest.mark.parametrize(
    ("made", "path", "covered"),
    [
        ("public.t", "default public.t.c", True),
        ("public.t.c", "default public.t.c", True),
        ("public.t", "default public.tt.c", False),
        ("public.t", "partition key public.t", True),
        ("public.t.i", "index public.i", True),
        ("index public.t.i", "index public.i", True),
        ("other.t.i", "index public.i", False),
        ("public.t.ii", "index public.i", False),
        ("public.v", "view public.v", True),
        ("view public.v", "view public.v", True),
        ("t_audit ON public.t", "trigger t_audit ON public.t", True),
        ("public.w", "view public.v", False),
    ],
)
def test_a_step_covers_its_object_and_all_that_is_part_of_it(made: str, path: str, covered: bool) -> None:
    plan = make_plan([transactional("SELECT 1", object=made)])
    (step,) = plan.steps
    assert made_by(plan, {step.step_sha}, [path]) == (frozenset({path}) if covered else frozenset())
    assert made_by(plan, set(), [path]) == frozenset()
