"""Textual's driver for Linux terminals, but for what it writes: only cells that changed, as fast as they are shown.

Textual's own writes about 20 kB for a typed letter and stops the whole application when the terminal stops reading;
over a slow line with a log running, the answer to a key comes seconds late. Here the same pictures take a few hundred
bytes, pictures that nobody could see any more are not sent (``frame_writer.py``), and nothing waits for the terminal.
``WESLEY_DRIVER=stock`` goes back to Textual's own.

Textual is pinned exactly: this module knows :class:`~textual.drivers.linux_driver.LinuxDriver` from inside.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
import termios
import tty
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from wesley_tui.tui.frame_writer import FrameWriter
from wesley_tui.tui.pace import ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App
    from textual.driver import Driver

    from wesley_tui.tui.canvas import Canvas

__all__ = ["CellDriver", "driver_class", "screen_fileno", "without_answers"]

ANSWER_SECONDS = 0.5
"""How long answers that are under way are waited for before the terminal is given back."""
CLOSE_SECONDS = 1.0
"""How long a terminal may take for the last bytes."""
_POLL_SECONDS = 0.1
_HELD_SECONDS = 0.03


def driver_class(environment: Mapping[str, str]) -> type[Driver] | None:
    """What to give to ``App(driver_class=…)``; None for Textual's own choice."""
    stock = environment.get("WESLEY_DRIVER") == "stock" or environment.get("TEXTUAL_DRIVER")
    return None if stock or os.name != "posix" else CellDriver


def screen_fileno() -> int:
    """Where the screen is: standard output, else standard error; whichever is a terminal."""
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None and stream.isatty():
                return stream.fileno()
        except (OSError, ValueError):
            continue
    return 2


class CellDriver(LinuxDriver):
    """Writes what changed."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._screen = screen_fileno()
        self._frames: FrameWriter | None = None
        self._painted: Canvas | None = None
        """What was on the screen when the application was suspended."""

    def write(self, data: str) -> None:
        if self._frames is not None:
            self._frames.write(data)

    def flush(self) -> None:
        if self._frames is not None:
            self._frames.flush()

    def repaint(self) -> None:
        """Draw the whole screen again: something else may have written on it."""
        if self._frames is not None:
            self._frames.repaint()

    def start_application_mode(self) -> None:
        encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
        self._frames = FrameWriter(self._screen, self._get_terminal_size, encoding=encoding, canvas=self._painted)
        if self._painted is not None:
            self._loop.call_soon_threadsafe(self._app.refresh)
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own

    def resume_application_mode(self) -> None:
        """After SIGCONT. A SIGSTOP gave the terminal away without asking: then threads and keys are still there, and
        starting them again, as Textual's own driver does, would have two threads read the same keys.
        """
        if self._frames is None:
            super().resume_application_mode()
            return
        with contextlib.suppress(termios.error):
            attributes = termios.tcgetattr(self.fileno)
            attributes[tty.LFLAG] = self._patch_lflag(attributes[tty.LFLAG])
            attributes[tty.IFLAG] = self._patch_iflag(attributes[tty.IFLAG])
            termios.tcsetattr(self.fileno, termios.TCSANOW, attributes)
        self.write("\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l")
        self._enable_mouse_support()
        self.repaint()
        self._loop.call_soon_threadsafe(self._app.refresh)

    def disable_input(self) -> None:
        if self._frames is not None:
            self._frames.settle(ANSWER_SECONDS)
        super().disable_input()

    def close(self) -> None:
        super().close()
        if self._frames is not None:
            self._frames.close(CLOSE_SECONDS)
            self._painted, self._frames = self._frames.canvas, None

    def run_input_thread(self) -> None:
        """Wait for input and dispatch events; the answers to our own questions are taken out first."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        held = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(_HELD_SECONDS if held else _POLL_SECONDS)
                data = held
                if ready:
                    read = os.read(self.fileno, 4096)
                    if not read:
                        return
                    data, count, held = without_answers(held + read)
                    for _ in range(count):
                        self._answered()
                    if held and not self._expects_answer():
                        data, held = data + held, b""  # a key: Escape, most likely
                else:
                    held = b""
                if data:
                    for event in parser.feed(decode(data)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _expects_answer(self) -> bool:
        frames = self._frames
        return frames is not None and frames.expects_answer

    def _answered(self) -> None:
        frames = self._frames
        if frames is not None:
            frames.answered()


def without_answers(data: bytes) -> tuple[bytes, int, bytes]:
    """The input without status reports, how many there were, and what may be the beginning of one more."""
    count = data.count(ANSWER)
    if count:
        data = data.replace(ANSWER, b"")
    for length in range(len(ANSWER) - 1, 0, -1):
        if data.endswith(ANSWER[:length]):
            return data[:-length], count, data[-length:]
    return data, count, b""
