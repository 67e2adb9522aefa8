"""What the screens are given by the application: the workbench, the files, and the few things that tests replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from wesley_tui.tui.glyphs import Glyphs
from wesley_tui.tui.ports import WorkbenchPort
from wesley_tui.tui.running import RunFeed

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    workbench: WorkbenchPort
    sources: Sequence[tuple[str, str]]
    """Path and text of every schema file; at least one."""
    unsafe: bool
    """Whether H3 may be confirmed by typing names."""
    glyphs: Glyphs
    clock: Callable[[], datetime]
    """Now, with a time zone."""
    debounce: float
    """Seconds without a keystroke before planning starts."""
    next_theme: Callable[[], None]
    repaint: Callable[[], None]
    """Draw the whole screen again: something else may have written on it."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The person's own keys by command id, comma-separated, in Textual's names."""
    feeds: list[RunFeed] = field(default_factory=list)
    """The runs that this process executes or executed."""
