"""SIGHUP, SIGTERM and SIGINT end the application in order: Textual alone would die with the terminal in raw mode.

The order needs the event loop, and the loop may be stuck: it waits for a writer whose terminal is gone, or has stopped
reading. :class:`LastResort` is a thread that then gives the terminal back by itself and ends the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["LastResort", "end_on_signals"]

_SIGNALS = ("SIGHUP", "SIGTERM", "SIGINT")

_RESET = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    "\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[<u"  # bracketed paste, focus, in-band resize, keyboard protocol
    "\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"  # line wrap, normal screen, cursor, colours
)


def end_on_signals(ended: Callable[[int, str], None]) -> None:
    """Call ``ended(number, name)`` in the running loop when a signal comes, where signals are to be had."""
    loop = asyncio.get_running_loop()
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, ended, int(number), name)
        except (NotImplementedError, RuntimeError, ValueError):
            return


class LastResort:
    """Knows how the terminal was before the application started; make it before."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._attributes: list[Any] | None = None
        with contextlib.suppress(termios.error, ValueError, OSError, AttributeError):
            self._attributes = termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]

    def over(self) -> None:
        """The application has ended as it should."""
        self._over.set()

    def arm(self, status: int, seconds: float, before: Callable[[], object]) -> None:
        """End the process with ``status`` unless :meth:`over` comes within ``seconds``; ``before`` is called first."""

        def watch() -> None:
            if not self._over.wait(seconds):
                before()
                self.restore()
                os._exit(status)

        threading.Thread(target=watch, name="last-resort", daemon=True).start()

    def restore(self) -> None:
        """Give the terminal back without waiting for it."""
        with contextlib.suppress(termios.error, ValueError, OSError, AttributeError):
            if self._attributes is not None:
                termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, self._attributes)  # type: ignore[union-attr]
        for stream in (sys.__stdout__, sys.__stderr__):
            with contextlib.suppress(ValueError, OSError, AttributeError):
                if os.isatty(fileno := stream.fileno()):  # type: ignore[union-attr]
                    os.set_blocking(fileno, False)
                    os.write(fileno, _RESET.encode())
                    return
