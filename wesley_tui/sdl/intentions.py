"""What the author says that no catalog can hold: renames, drops, stable identities, directives that inform."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Ref
from wesley_tui.sdl.drafts import Annotation, EnumDraft, TableDraft
from wesley_tui.sdl.issues import Issue
from wesley_tui.sdl.reports import Reports
from wesley_tui.sdl.units import Unit

__all__ = ["annotations_of", "intent_of", "uids_of"]


def intent_of(
    drafts: Sequence[tuple[Unit, TableDraft]],
    enums: Sequence[EnumDraft],
    dropped: Iterable[Ref],
    uids: Mapping[str, str],
) -> Intent:
    return Intent(
        {draft.name: draft.renamed_from for _, draft in drafts if draft.renamed_from is not None},
        {(draft.name, new): old for _, draft in drafts for new, old in draft.renamed_columns.items()},
        {draft.enum.name: draft.renamed_from for draft in enums if draft.renamed_from is not None},
        {(draft.enum.name, new): old for draft in enums for new, old in draft.renamed_labels.items()},
        frozenset(draft.name for _, draft in drafts if draft.dropped),
        frozenset((draft.name, column) for _, draft in drafts for column in draft.dropped_columns),
        frozenset(dropped),
        uids,
        {(draft.name, column): text for _, draft in drafts for column, text in draft.conversions.items()},
    )


def annotations_of(drafts: Sequence[tuple[Unit, TableDraft]]) -> dict[str, tuple[Annotation, ...]]:
    result: dict[str, tuple[Annotation, ...]] = {}
    for _, draft in drafts:
        for key, found in draft.annotations.items():
            kind, _, name = key.partition(" ")
            if not kind:
                result[f"table {draft.name}"] = found
            elif kind == "field":
                result[f"field {draft.type_name}.{name}"] = found
            else:
                result[f"{kind} {draft.name}.{name}"] = found
    return result


def uids_of(
    annotations: Mapping[str, Sequence[Annotation]], drafts: Sequence[tuple[Unit, TableDraft]], reports: Reports
) -> dict[str, str]:
    """Stable identity → the object that has it; one identity for two objects is an error."""
    uids: dict[str, str] = {}
    for place, found in annotations.items():
        for annotation in found:
            if annotation.name != "uid" or place.startswith("field "):
                continue
            uid = str(dict(annotation.arguments)["value"])
            if uid in uids:
                unit, draft = next(item for item in drafts if place.partition(" ")[2].startswith(str(item[1].name)))
                spot = draft.spots.get(f"column {place[len(f'column {draft.name}.') :]}", unit.spot)
                message = f"{uids[uid]} and {place} have the same @uid {uid!r}"
                reports.report(Issue("error", "duplicate-uid", message, "each object has its own", spot), unit.parts)
            uids[uid] = place
    return uids
