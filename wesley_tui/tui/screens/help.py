"""Every key, from the key map."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from wesley_tui.planner.plan import HazardClass
from wesley_tui.tui.keymap import sections
from wesley_tui.tui.present import BADGE_WIDTH, LOCK_BLOCKS, LOCK_SHORT, badge, heading

__all__ = ["HelpScreen", "help_content"]

_CLASSES = {
    HazardClass.H0: "nobody waits: comments, views, new empty tables",
    HazardClass.H1: "a strong lock for constant time, or a build that blocks no writer",
    HazardClass.H2: "reads or writes data in proportion to the table, throttled",
    HazardClass.H3: "blocks people for a time that grows with the data, loses data, or breaks clients",
}


class HelpScreen(ModalScreen[None]):
    """Closed with Escape, ``q``, ``?`` or F1."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark", "dismiss", "Close"),
        Binding("up,k", "scroll('up')", "Up", show=False),
        Binding("down,j", "scroll('down')", "Down", show=False),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(help_content(), markup=False)

    def on_mount(self) -> None:
        frame = self.query_one("#help")
        frame.border_title = "Keys"
        frame.border_subtitle = "Esc closes"
        frame.focus()

    def action_scroll(self, direction: str) -> None:
        frame = self.query_one("#help", VerticalScroll)
        if direction == "up":
            frame.scroll_up(animate=False)
        else:
            frame.scroll_down(animate=False)


def help_content() -> Content:
    """Keys by place, then what the badges and the short names of locks mean."""
    lines: list[Content] = [
        Content.assemble(("Ctrl+P", "bold"), " opens the command palette, where every command has a name."),
        Content(""),
    ]
    for title, remark, keys in sections():
        lines += [heading(title), Content.styled(f"  {remark.replace('`', '')}", "$muted")]
        lines += [Content.assemble((f"  {names:<16}", "bold"), f"  {text}") for names, text in keys]
        lines.append(Content(""))
    lines.append(heading("Hazard classes"))
    lines += [Content.assemble("  ", badge(item, width=BADGE_WIDTH + 2), text) for item, text in _CLASSES.items()]
    lines += [Content(""), heading("Locks, weakest first")]
    lines += [
        Content.assemble((f"  {short:<4}", "bold"), f" {mode.name:<25}", (LOCK_BLOCKS[mode], "$muted"))
        for mode, short in LOCK_SHORT.items()
    ]
    return Content("\n").join(lines)
