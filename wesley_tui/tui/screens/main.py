"""The main screen, complete: every command of the key map, and leaving."""

from __future__ import annotations

import os
import signal
from typing import ClassVar

from textual.binding import BindingType

from wesley_tui.sdl.diagnostics import Source
from wesley_tui.tui.keymap import bindings, command
from wesley_tui.tui.layout import PANES
from wesley_tui.tui.screens.question import Answer, QuestionScreen
from wesley_tui.tui.screens.steering import SteeringScreen
from wesley_tui.tui.situation import why_not
from wesley_tui.tui.widgets.banner import Banner

__all__ = ["MainScreen"]


class MainScreen(SteeringScreen):
    """Everything but the dialogs."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("main"))
    AUTO_FOCUS = ""

    # -- commands ------------------------------------------------------------------------------------------------

    def action_command(self, identifier: str) -> None:
        """Run a command of the key map, or say why not."""
        reason = why_not(identifier, self.situation())
        if reason:
            self.notify(reason, title=command(identifier).help, severity="warning", timeout=4, markup=False)
            return
        group, _, verb = identifier.partition(".")
        getattr(self, f"do_{group}_{verb}")()

    def do_view_schema(self) -> None:
        self.show_pane("schema")

    def do_view_plan(self) -> None:
        self.show_pane("plan")

    def do_view_details(self) -> None:
        self.show_pane("details")

    def do_view_activity(self) -> None:
        self.show_pane("activity")

    def do_view_next_pane(self) -> None:
        self._step_pane(1)

    def do_view_previous_pane(self) -> None:
        self._step_pane(-1)

    def _step_pane(self, direction: int) -> None:
        names = list(PANES)
        self.show_pane(names[(names.index(self.active) + direction) % len(names)])

    def do_view_leave(self) -> None:
        if self.zoomed:
            self.do_view_zoom()
        elif self.active == "plan":
            self.show_pane("schema")
        else:
            self.show_pane("plan")

    def do_view_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.arrange_panes(self.size.width, self.size.height)

    def do_view_theme(self) -> None:
        self.context.next_theme()

    def do_app_help(self) -> None:
        from wesley_tui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def do_app_suspend(self) -> None:
        """As the shell's Ctrl+Z: everybody in the foreground stops, a wrapper (``make demo``) too."""
        if os.getsid(os.getppid()) != os.getsid(0):
            self.notify("There is no shell here that could let Wesley go on.", severity="warning", markup=False)
        else:
            os.killpg(os.getpgrp(), signal.SIGTSTP)

    def do_app_quit(self) -> None:
        now = self.situation()
        if now.running and self.feed is not None and self.feed.attached:
            self.feed.stop("")
            self.app.exit()
        elif now.running:
            self.app.push_screen(
                QuestionScreen(
                    "A run is going on",
                    "Wesley executes the plan in this process. Quitting cancels the statement that runs now;\n"
                    "what succeeded stays, and `wesley resume` goes on from there.",
                    [Answer("s", "stop", "stop the run, and quit")],
                    back="keep running",
                ),
                self._quit_answered,
            )
        elif now.modified:
            self.app.push_screen(
                QuestionScreen(
                    "The schema is not saved",
                    "There are changes that are not on disk.",
                    [Answer("s", "save", "save, then quit"), Answer("d", "discard", "quit without saving")],
                    back="keep editing",
                ),
                self._quit_answered,
            )
        else:
            self.app.exit()

    def _quit_answered(self, answer: str | None) -> None:
        match answer:
            case "stop":
                if self.feed is not None:
                    self.feed.stop("the person quit")
                self.app.exit()
            case "discard":
                self.app.exit()
            case "save":
                try:
                    for editor in self.editors:
                        if editor.modified:
                            self.context.workbench.save(Source(editor.source_name, editor.text))
                except Exception as error:
                    self.query_one(Banner).tell("not saved", str(error))
                    return
                self.app.exit()
