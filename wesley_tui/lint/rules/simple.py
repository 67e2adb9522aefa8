"""Rules that need no more than a look at the kind of statement: rows of a table instead of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wesley_tui.lint.rules.reading import actions, dropped
from wesley_tui.lint.rules.registry import Check
from wesley_tui.lint.subject import Subject

__all__ = ["altering", "dropping", "renaming", "when"]


def dropping(kind: str, message: str) -> Check:
    """DROP of a kind of object that the script has not made itself; ``{name}`` in the message."""

    def check(s: Subject) -> Iterator[str]:
        for name in dropped(s, kind):
            yield message.format(name=name)

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
