"""Proof at the end of a run: the live catalog, read again, plans to nothing but what was left for later.

PostgreSQL stores an analysed form of what it was told. Where a reader of text cannot see that both mean the same, the
difference would come up in every plan from then on; so what this run has made itself, and only that, is remembered as
settled (:mod:`wesley_tui.catalog.declared`), provided that nothing else differs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wesley_tui.sdl.diagnostics import SchemaError, Source
from wesley_tui.services.errors import NotVerified
from wesley_tui.services.options import PlanningOptions
from wesley_tui.services.workbench import Workbench, schemas_of

if TYPE_CHECKING:
    from wesley_tui.planner.plan import Plan
    from wesley_tui.services.target import Target

__all__ = ["made_by", "verify_result"]


def verify_result(target: Target, plan: Plan, planning: PlanningOptions, done: Collection[str]) -> bool | None:
    """Whether planning the same schema again leaves nothing, or CONTRACT steps only, after the steps ``done``
    (``step_sha``) have succeeded. None for a plan that came without a schema (a hand-written one).

    Raises ``NotVerified`` when it cannot be told.
    """
    if not plan.source:
        return None
    from wesley_tui.catalog.declared import declarations, paths_of, unseen_declaration
    from wesley_tui.catalog.uids import identities

    options = replace(planning, schemas=plan.tenants, ignore=plan.ignored, accept_renames=())
    workbench = Workbench(target, options)
    sources = [Source("plan", plan.source)]
    try:
        compiled = workbench.compile(sources)
    except SchemaError as error:
        raise NotVerified(f"the schema inside the plan does not compile any more: {error}") from error
    snapshot = asyncio.run(workbench.read(schemas_of(compiled)))
    desired, intent = workbench.placed(compiled)
    made = made_by(plan, done, paths_of(desired))
    settled = declarations(snapshot.catalog, desired, made) if made else {}
    settled |= {
        str(ref): unseen_declaration(item)
        for ref, item in desired.objects.items()
        if item.kind == "other" and str(ref) in made
    }
    known = replace(snapshot, declared={**snapshot.declared, **settled})
    left = workbench.plan_compiled(compiled, sources, known)
    if any(wave.name != "CONTRACT" for wave in left.waves):
        return False
    named = identities(intent, snapshot.catalog)
    settled |= {path: pair for path, pair in named.items() if snapshot.declared.get(path) != pair}
    if settled:
        asyncio.run(_remember(target, settled))
    return True


def made_by(plan: Plan, done: Collection[str], paths: Collection[str]) -> frozenset[str]:
    """Those of ``paths`` (see :mod:`wesley_tui.catalog.declared`) that the steps ``done`` of ``plan`` have written:
    the object of a step, and all that is part of it."""
    objects = {name for step in plan.steps if step.step_sha in done for name in _names(step.object)}
    indexes = {(name.partition(".")[0], end) for name in objects for end in _ends(name)}
    return frozenset(path for path in paths if _is_covered(path, objects, indexes))


def _names(text: str) -> Iterator[str]:
    """The object of a step is written with or without the kind before it."""
    yield text
    if " " in text:
        yield text.split(" ", 1)[1]


def _is_covered(path: str, objects: Collection[str], indexes: Collection[tuple[str, str]]) -> bool:
    """Whether what ``path`` names is one of ``objects`` or part of one; an index is named beside its table in a path,
    and below it in a step."""
    kind, _, name = path.partition(" ")
    if kind == "partition":
        name = name.partition(" ")[2]
    if name in objects or any(name[:dot] in objects for dot in _dots(name)):
        return True
    schema, _, index = name.partition(".")
    return kind == "index" and (schema, index) in indexes


def _ends(name: str) -> Iterator[str]:
    return (name[dot + 1 :] for dot in _dots(name))


def _dots(name: str) -> Iterator[int]:
    return (at for at, sign in enumerate(name) if sign == ".")


async def _remember(target: Target, settled: Mapping[str, tuple[str, str]]) -> None:
    connection = await target.connect()
    try:
        await connection.execute("SELECT wesley.record_declarations(%s::jsonb)", (json.dumps(dict(settled)),))
    finally:
        await connection.close()
