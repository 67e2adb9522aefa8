"""Every key, as data: bindings, footer, help screen, command palette and ``docs/keys.md`` are all made from this table.

A command's ``id`` is stable: it names the binding (so that a person's own key map can move it) and the method that
runs it. Keys that print a character work everywhere but in the editor and in an input, where they are typed; what must
be reachable while typing has a function or control key as well. ``ctrl+p`` is the palette's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding

__all__ = ["COMMANDS", "Command", "Scope", "bindings", "command", "commands_of", "key_name", "keys_markdown"]

Scope = Literal["main", "plan", "details", "log", "review", "dialog"]
"""Where a command's keys work; ``main`` means everywhere on the main screen."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a person can ask for."""

    id: str
    keys: tuple[str, ...]
    """Textual's key names; the footer shows the first that works where the focus is."""
    label: str
    """For the footer: one word, or two."""
    help: str
    """For the help screen and the palette: one sentence."""
    group: str
    """The palette shows ``group: help``."""
    scope: Scope = "main"
    footer: bool = False
    action: str = ""
    """Textual's action; empty for ``command('<id>')``, which asks first whether the command makes sense now."""
    palette: bool = True


COMMANDS: tuple[Command, ...] = (
    Command("run.review", ("ctrl+r", "f9"), "Review", "Review the plan, then run it", "run", footer=True),
    Command("run.pause", ("p",), "Pause", "Pause after the current batch or step", "run", footer=True),
    Command("run.resume", ("r",), "Go on", "Go on with a run that is paused, or was left half-way", "run", footer=True),
    Command("run.abort", ("x",), "Abort", "Cancel the statement that runs, and end the run", "run", footer=True),
    Command("run.decide", ("b",), "Blockers", "Decide about a step that waits for a lock", "run", footer=True),
    Command(
        "run.limits", ("t",), "Limits", "See and change what the run may take from the database", "run", footer=True
    ),
    Command("run.skip", ("s",), "Skip", "Leave the selected step out of the run", "run"),
    Command("run.retry", ("e",), "Retry", "Try again now what waits, or was left out", "run"),
    Command("run.rollback", ("u",), "Roll back", "Show what takes the last run back, then do it", "run"),
    Command("run.watch", ("w",), "Watch", "Look for a run of another process, and follow it", "run"),
    Command("run.summary", ("v",), "Verdict", "Show the verdict of the last run", "run"),
    Command("schema.save", ("ctrl+s",), "Save", "Save the schema file", "schema", footer=True),
    Command("schema.next_problem", ("f8",), "Problem", "Go to the next problem in the schema", "schema", footer=True),
    Command("schema.previous_problem", ("shift+f8",), "Problem", "Go to the problem before", "schema"),
    Command("schema.next_file", ("ctrl+pagedown",), "File", "Open the next schema file", "schema"),
    Command("schema.previous_file", ("ctrl+pageup",), "File", "Open the schema file before", "schema"),
    Command("plan.go_to_source", ("g",), "Source", "Go to the SDL line of the selected step", "plan", footer=True),
    Command("plan.copy_sql", ("y",), "Copy", "Copy the SQL of the selected step or wave", "plan", footer=True),
    Command("plan.rename", ("a",), "A rename", "Yes: write @renamed into the schema", "plan", footer=True),
    Command("plan.keep_apart", ("n",), "Two things", "No: one goes, another comes", "plan", footer=True),
    Command("plan.reread", ("ctrl+l",), "Reread", "Read the database and plan again; draw the whole screen", "plan"),
    Command("view.schema", ("f2", "1"), "Schema", "Go to the schema editor", "view"),
    Command("view.plan", ("f3", "2"), "Plan", "Go to the plan", "view"),
    Command("view.details", ("f4", "3"), "Details", "Go to the details of the selected step", "view"),
    Command("view.activity", ("f5", "4"), "Activity", "Go to progress and event log", "view"),
    Command("view.next_pane", ("tab",), "Next", "Go to the next pane", "view", palette=False),
    Command("view.previous_pane", ("shift+tab",), "Back", "Go to the pane before", "view", palette=False),
    Command("view.leave", ("escape",), "Leave", "Leave the editor; un-zoom; close", "view", palette=False),
    Command(
        "view.zoom", ("ctrl+o", "z"), "Zoom", "Give the whole screen to one pane, or take it back", "view", footer=True
    ),
    Command("view.theme", ("f12",), "Theme", "Next theme: dark, light, the terminal's own colours", "view"),
    Command("app.suspend", ("ctrl+z",), "Stop", "To the shell (fg comes back); in the editor: undo", "app"),
    Command("app.help", ("f1", "question_mark"), "Help", "Show every key", "app", footer=True),
    Command(
        "app.quit",
        ("ctrl+q", "q"),
        "Quit",
        "Quit; asks first when a run is going on or text is unsaved",
        "app",
        footer=True,
    ),
    Command("tree.up", ("up", "k"), "Up", "One row up", "plan", "plan", action="cursor_up", palette=False),
    Command("tree.down", ("down", "j"), "Down", "One row down", "plan", "plan", action="cursor_down", palette=False),
    Command("tree.page_up", ("pageup",), "Page up", "One page up", "plan", "plan", action="page_up", palette=False),
    Command(
        "tree.page_down", ("pagedown",), "Page down", "One page down", "plan", "plan", action="page_down", palette=False
    ),
    Command("tree.first", ("home",), "First", "First row", "plan", "plan", action="first", palette=False),
    Command("tree.last", ("end",), "Last", "Last row", "plan", "plan", action="last", palette=False),
    Command(
        "tree.fold", ("left", "h"), "Fold", "Close the wave, or go to it", "plan", "plan", action="fold", palette=False
    ),
    Command("tree.unfold", ("right", "l"), "Unfold", "Open the wave", "plan", "plan", action="unfold", palette=False),
    Command(
        "tree.toggle", ("space",), "Fold", "Open or close the wave", "plan", "plan", action="toggle_wave", palette=False
    ),
    Command(
        "tree.open",
        ("enter",),
        "Details",
        "Read the details of the selected step",
        "plan",
        "plan",
        action="open",
        palette=False,
    ),
    Command("log.up", ("up", "k"), "Up", "One line up; stops following", "log", "log", action="line_up", palette=False),
    Command("log.down", ("down", "j"), "Down", "One line down", "log", "log", action="line_down", palette=False),
    Command(
        "log.page_up",
        ("pageup",),
        "Page up",
        "One page up; stops following",
        "log",
        "log",
        action="page_up",
        palette=False,
    ),
    Command(
        "log.page_down", ("pagedown",), "Page down", "One page down", "log", "log", action="page_down", palette=False
    ),
    Command(
        "log.first", ("home",), "First", "The oldest line that is kept", "log", "log", action="first", palette=False
    ),
    Command(
        "log.follow",
        ("end", "f"),
        "Follow",
        "Go to the newest line and follow",
        "log",
        "log",
        action="follow",
        palette=False,
    ),
    Command("details.up", ("up", "k"), "Up", "One line up", "details", "details", action="scroll_up", palette=False),
    Command(
        "details.down",
        ("down", "j"),
        "Down",
        "One line down",
        "details",
        "details",
        action="scroll_down",
        palette=False,
    ),
    Command("review.up", ("up",), "Up", "One line up", "review", "review", action="line_up", palette=False),
    Command("review.down", ("down",), "Down", "One line down", "review", "review", action="line_down", palette=False),
    Command(
        "review.page_up", ("pageup",), "Page up", "One page up", "review", "review", action="page_up", palette=False
    ),
    Command(
        "review.page_down", ("pagedown",), "Read on", "One page down", "review", "review", True, "page_down", False
    ),
    Command(
        "review.first",
        ("ctrl+home",),
        "Top",
        "To the top of the explanation",
        "review",
        "review",
        action="first",
        palette=False,
    ),
    Command(
        "review.last", ("ctrl+end",), "End", "To the end of the explanation", "review", "review", True, "last", False
    ),
    Command(
        "review.contract",
        ("ctrl+t",),
        "Contract",
        "Run the CONTRACT wave too, or leave it for later",
        "review",
        "review",
        True,
        "contract",
        False,
    ),
    Command(
        "review.close", ("escape",), "Back", "Close the review; nothing runs", "review", "review", True, "close", False
    ),
)

_BY_ID = {item.id: item for item in COMMANDS}

_TO_PANES = frozenset({"f2", "f3", "f4", "f5"})

_NAMES = {
    "question_mark": "?",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
}


def command(identifier: str) -> Command:
    """The command with this id; raises :class:`KeyError`."""
    return _BY_ID[identifier]


def commands_of(*scopes: Scope) -> Iterator[Command]:
    """The commands of the scopes, in the order of the table."""
    return (item for item in COMMANDS if item.scope in scopes)


def bindings(scope: Scope) -> list[Binding]:
    """Textual's bindings of one scope, each with the id of its command.

    Keys that go to another pane are obeyed before any widget sees them: over a slow line they come in one piece with
    the key that follows, which must not be typed into the pane that was left.
    """
    return [
        Binding(
            ",".join(keys),
            item.action or f"command({item.id!r})",
            item.label,
            show=item.footer,
            id=item.id,
            priority=first,
        )
        for item in commands_of(scope)
        for first, keys in (
            (True, [key for key in item.keys if key in _TO_PANES]),
            (False, [key for key in item.keys if key not in _TO_PANES]),
        )
        if keys
    ]


def prints(key: str) -> bool:
    """Whether the key is typed in an editor or an input instead of being a command there."""
    return len(key) == 1 or key in ("space", "question_mark", "tab")


def key_name(key: str) -> str:
    """As people write it: ``^R``, ``F9``, ``?``, ``Shift+F8``."""
    *modifiers, last = key.split("+")
    name = _NAMES.get(last, last.upper() if len(last) > 1 and last[0] == "f" and last[1:].isdigit() else last)
    if modifiers == ["ctrl"]:
        return f"^{name.upper() if len(name) == 1 else name}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


_TITLES: tuple[tuple[Scope, str, str], ...] = (
    ("main", "Everywhere", "While typing, only control and function keys are commands."),
    ("plan", "Plan", "The tree of waves and steps."),
    ("details", "Details", "What the selected step does."),
    ("log", "Event log", "What was committed to `wesley.migration_events`, and what Wesley says."),
    ("review", "Review", "Nothing runs until the word `apply` is typed and Enter pressed."),
)


def sections() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Title, remark and (keys, what they do) of each scope: what help screen and manual show."""
    for scope, title, remark in _TITLES:
        yield title, remark, [(" ".join(map(key_name, item.keys)), item.help) for item in commands_of(scope)]


def keys_markdown() -> str:
    """``docs/keys.md``; a test compares the file with this text."""
    return "\n".join(_markdown_lines())


def _markdown_lines() -> Iterable[str]:
    yield "# Keys"
    yield ""
    yield "Made from `wesley_tui/tui/keymap.py` by `python -m wesley_tui.tui.keymap`. `Ctrl+P` opens the command"
    yield "palette, where every command has a name."
    for title, remark, lines in sections():
        yield from ("", f"## {title}", "", remark, "", "| key | does |", "|---|---|")
        yield from (f"| {' '.join(f'`{key}`' for key in keys.split())} | {text} |" for keys, text in lines)
    yield ""


if __name__ == "__main__":
    import sys

    sys.stdout.write(keys_markdown())
