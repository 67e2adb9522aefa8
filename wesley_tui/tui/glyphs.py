"""The few signs beside the words. Each has an ASCII twin for terminals and locales without UTF-8."""

from __future__ import annotations

import locale
from collections.abc import Mapping
from dataclasses import dataclass, field

from wesley_tui.executor.events import StepStatus

__all__ = ["ASCII", "UNICODE", "Glyphs", "glyphs_for"]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Signs, each one cell wide."""

    opened: str = "▾"
    closed: str = "▸"
    bullet: str = "•"
    separator: str = "·"
    ellipsis: str = "…"
    full: str = "█"
    empty: str = "░"
    rule: str = "─"
    error: str = "✗"
    warning: str = "!"
    connected: str = "●"
    offline: str = "○"
    below: str = "▼"
    status: Mapping[StepStatus, str] = field(
        default_factory=lambda: {
            StepStatus.PENDING: "·",
            StepStatus.RUNNING: "▶",
            StepStatus.SUCCEEDED: "✓",
            StepStatus.SKIPPED: "=",
            StepStatus.FAILED: "✗",
        }
    )


UNICODE = Glyphs()
ASCII = Glyphs(
    opened="-",
    closed="+",
    bullet="*",
    separator="|",
    ellipsis="~",
    full="#",
    empty=".",
    rule="-",
    error="x",
    warning="!",
    connected="*",
    offline="o",
    below="v",
    status={
        StepStatus.PENDING: ".",
        StepStatus.RUNNING: ">",
        StepStatus.SUCCEEDED: "+",
        StepStatus.SKIPPED: "=",
        StepStatus.FAILED: "x",
    },
)


def glyphs_for(environment: Mapping[str, str]) -> Glyphs:
    """ASCII when ``WESLEY_ASCII`` is set, on the Linux console, or when the locale's encoding is not UTF-8."""
    if environment.get("WESLEY_ASCII") or environment.get("TERM") in ("linux", "dumb"):
        return ASCII
    encoding = locale.getpreferredencoding(do_setlocale=False).lower().replace("-", "")
    return UNICODE if encoding in ("utf8", "utf8sig") else ASCII
