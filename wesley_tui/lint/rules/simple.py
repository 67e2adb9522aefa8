"""Rules that need no more than a look at the kind of statement: rows of a table instead of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wesley_tui.lint.rules.reading import actions, dropped
from wesley_tui.lint.rules.registry import Check
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.context import names_in

__all__ = ["altering", "dropping", "dropping_of_table", "renaming", "when"]


def dropping(kind: str, message: str) -> Check:
    """DROP of a kind of object that the script has not made itself; ``{name}`` in the message."""

    def check(s: Subject) -> Iterator[str]:
        for name in dropped(s, kind):
            if not s.is_made_again(kind, name.rpartition(".")[2]):
                yield message.format(name=name)

    return check


def dropping_of_table(kind: str, message: str) -> Check:
    """DROP of what hangs on a table that the script has not made: a trigger, a policy. Not when it is put back."""

    def check(s: Subject) -> Iterator[str]:
        if s.node.removeType != f"OBJECT_{kind}":
            return
        for item in s.node.objects:
            *table, thing = names_in(item)
            name = s.context.resolve(table[-2] if len(table) > 1 else None, table[-1])
            if not s.is_new(name) and not s.is_made_again(kind, f"{name.name}.{thing}"):
                yield message

    return check


def altering(message: str, *subtypes: str) -> Check:
    """Subcommands of ALTER TABLE; ``{table}`` and ``{name}`` in the message."""

    def check(s: Subject) -> Iterator[str]:
        for command in actions(s, *subtypes):
            yield message.format(table=s.target, name=command.name or "")

    return check


def renaming(message: str, *kinds: str) -> Check:
    """RENAME of kinds of objects; ``{name}`` in the message."""

    def check(s: Subject) -> Iterator[str]:
        if s.node.renameType in {f"OBJECT_{kind}" for kind in kinds} and not s.on_new:
            target = s.target
            if target is None or s.context.index_table(target) is None:
                yield message.format(name=target or s.node.subname or "it")

    return check


def when(test: Callable[[Any, Subject], bool], message: str) -> Check:
    """Any condition on the node; ``{target}`` in the message."""

    def check(s: Subject) -> Iterator[str]:
        if test(s.node, s):
            yield message.format(target=s.target)

    return check
