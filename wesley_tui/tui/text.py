"""Text for a terminal: harmless whatever a database or a file contains, and short where a line is short.

Names, comments and server messages may hold escape sequences, right-to-left overrides or markup. Nothing here (or in
the widgets) is ever parsed as markup; what a terminal would obey is made visible instead.
"""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["count", "duration", "identifier", "one_line", "plain_lines", "rows", "same_width", "short_sha", "visible"]

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Control characters (C0, C1), direction marks and overrides, and characters of no width; not tab and newline."""


def visible(text: str) -> str:
    """``text`` with everything that a terminal would obey, or would hide, written as an escape: ``\\x1b``."""
    return _HIDDEN.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """``text`` made visible, on one line: runs of blanks and line breaks become one blank."""
    return " ".join(visible(text).split())


def identifier(name: str) -> str:
    """A name, made visible, on one line: blanks stay as they are, line breaks and tabs become escapes."""
    return visible(name).replace("\n", "\\n").replace("\t", "\\t")


def plain_lines(text: str) -> list[str]:
    """The lines of ``text``, made visible, tabs as blanks."""
    return visible(text).expandtabs(2).split("\n")


def same_width(text: str) -> str:
    """``text`` with every hidden character replaced by one visible one, so that columns stay where they are."""
    return _HIDDEN.sub(_picture, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def short_sha(sha: str) -> str:
    """The first 16 hex digits, which is what people see of a plan or step."""
    return one_line(sha)[:16]


def duration(milliseconds: float | timedelta) -> str:
    """A duration in at most 8 characters: ``12 ms``, ``3.4 s``, ``2 m 05 s``, ``1 h 10 m``."""
    if isinstance(milliseconds, timedelta):
        milliseconds = milliseconds.total_seconds() * 1000
    if milliseconds < 0:
        milliseconds = 0
    if milliseconds < 1:
        return "<1 ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m"


def rows(number: int) -> str:
    """A number of rows in at most 6 characters: ``940``, ``100 k``, ``2.4 M``."""
    if number < 10_000:
        return str(number)
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            value = number / size
            return f"{value:.1f} {unit}" if value < 10 and size > 1_000 else f"{value:.0f} {unit}"
    return str(number)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 step``, ``3 steps``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
