"""The table of operations in docs/dsl.md, made from the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.dsl.document import COMPOUND
from wesley_tui.dsl.vocabulary import OPERATIONS, Word

__all__ = ["operations_table"]


def operations_table() -> str:
    """Markdown: operation, fields (optional ones in brackets), meaning."""
    return "\n".join(("| operation | fields | what it does |", "|---|---|---|", *_rows())) + "\n"


def _rows() -> Iterator[str]:
    for word in OPERATIONS.values():
        yield f"| `{word.name}` | {_fields(word)} | {word.meaning} |"
    extra = {"alter_table": ["actions"], "in_one_transaction": ["steps", "label?", "object?"]}
    for name, (meaning, fields) in COMPOUND.items():
        shown = [field if required else f"{field}?" for field, (_, required) in fields.items()]
        yield f"| `{name}` | {_shown([*shown, *extra.get(name, ())])} | {meaning} |"


def _fields(word: Word) -> str:
    return _shown([name if required else f"{name}?" for name, (_, required) in word.fields.items()])


def _shown(names: list[str]) -> str:
    return ", ".join(f"[{name[:-1]}]" if name.endswith("?") else name for name in names)
