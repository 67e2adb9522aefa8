"""SIGHUP, SIGTERM and SIGINT end the application in order: Textual alone would die with the terminal in raw mode."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

__all__ = ["end_on_signals"]

_SIGNALS = ("SIGHUP", "SIGTERM", "SIGINT")


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
