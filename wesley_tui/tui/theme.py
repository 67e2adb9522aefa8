"""Wesley's colours: one dark theme, one light theme, and how both fall back on sixteen colours or on none.

Every colour is a member of the 256-colour palette of xterm: over SSH ``COLORTERM`` is normally lost, and a colour that
is in the palette looks the same there. Meaning never hangs on a colour: a badge is a class and a word first.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

__all__ = ["DARK", "LIGHT", "VARIABLES", "initial_theme", "other_theme"]

_DARK_VARIABLES = {
    "muted": "#8a8a8a",
    "faint": "#626262",
    "frame": "#3a3a3a",
    "frame-active": "#5fafff",
    "bar": "#262626",
    "cursor-line": "#303030",
    "cursor-line-blurred": "#262626",
    "hazard-0": "#8a8a8a",
    "hazard-1": "#87d787",
    "hazard-2": "#ffaf5f",
    "hazard-3": "#ff5f5f",
    "on-hazard": "#121212",
    "sdl-keyword": "#5fafff",
    "sdl-type": "#87d7d7",
    "sdl-field": "#d0d0d0",
    "sdl-directive": "#d7afff",
    "sdl-string": "#afd787",
    "sdl-number": "#ffaf87",
    "sdl-comment": "#767676",
    "sdl-punctuation": "#8a8a8a",
    "input-cursor-background": "#d0d0d0",
    "input-cursor-foreground": "#121212",
    "input-cursor-text-style": "none",
    "input-selection-background": "#005f87",
    "border": "#5fafff",
    "border-blurred": "#3a3a3a",
    "scrollbar": "#444444",
    "scrollbar-hover": "#626262",
    "scrollbar-active": "#8a8a8a",
    "scrollbar-background": "#1c1c1c",
    "scrollbar-background-hover": "#1c1c1c",
    "scrollbar-background-active": "#1c1c1c",
    "scrollbar-corner-color": "#1c1c1c",
}

_LIGHT_VARIABLES = {
    "muted": "#6c6c6c",
    "faint": "#949494",
    "frame": "#bcbcbc",
    "frame-active": "#005faf",
    "bar": "#dadada",
    "cursor-line": "#d7d7ff",
    "cursor-line-blurred": "#e4e4e4",
    "hazard-0": "#6c6c6c",
    "hazard-1": "#005f00",
    "hazard-2": "#875f00",
    "hazard-3": "#af0000",
    "on-hazard": "#ffffff",
    "sdl-keyword": "#005faf",
    "sdl-type": "#005f5f",
    "sdl-field": "#303030",
    "sdl-directive": "#5f00af",
    "sdl-string": "#5f5f00",
    "sdl-number": "#af5f00",
    "sdl-comment": "#767676",
    "sdl-punctuation": "#767676",
    "input-cursor-background": "#303030",
    "input-cursor-foreground": "#ffffff",
    "input-cursor-text-style": "none",
    "input-selection-background": "#afd7ff",
    "border": "#005faf",
    "border-blurred": "#bcbcbc",
    "scrollbar": "#bcbcbc",
    "scrollbar-hover": "#949494",
    "scrollbar-active": "#6c6c6c",
    "scrollbar-background": "#eeeeee",
    "scrollbar-background-hover": "#eeeeee",
    "scrollbar-background-active": "#eeeeee",
    "scrollbar-corner-color": "#eeeeee",
}

VARIABLES: Mapping[str, str] = {
    "muted": "ansi_default",
    "faint": "ansi_default",
    "frame": "ansi_default",
    "frame-active": "ansi_blue",
    "bar": "ansi_default",
    "cursor-line": "ansi_default",
    "cursor-line-blurred": "ansi_default",
    "hazard-0": "ansi_default",
    "hazard-1": "ansi_green",
    "hazard-2": "ansi_yellow",
    "hazard-3": "ansi_red",
    "on-hazard": "ansi_default",
    "sdl-keyword": "ansi_blue",
    "sdl-type": "ansi_cyan",
    "sdl-field": "ansi_default",
    "sdl-directive": "ansi_magenta",
    "sdl-string": "ansi_green",
    "sdl-number": "ansi_yellow",
    "sdl-comment": "ansi_default",
    "sdl-punctuation": "ansi_default",
}
"""Used by themes that are not ours, the ``ansi-*`` ones first of all: the terminal's own sixteen colours."""

DARK = Theme(
    name="wesley-dark",
    dark=True,
    primary="#5fafff",
    secondary="#87d7d7",
    accent="#d7afff",
    warning="#ffaf5f",
    error="#ff5f5f",
    success="#87d787",
    foreground="#d0d0d0",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    boost="#303030",
    variables=_DARK_VARIABLES,
)

LIGHT = Theme(
    name="wesley-light",
    dark=False,
    primary="#005faf",
    secondary="#005f5f",
    accent="#5f00af",
    warning="#875f00",
    error="#af0000",
    success="#005f00",
    foreground="#303030",
    background="#e4e4e4",
    surface="#eeeeee",
    panel="#dadada",
    boost="#d0d0d0",
    variables=_LIGHT_VARIABLES,
)

_NEXT = {"wesley-dark": "wesley-light", "wesley-light": "ansi-dark", "ansi-dark": "wesley-dark"}


def other_theme(name: str) -> str:
    """The theme that follows: dark, light, the terminal's own colours, dark …"""
    return _NEXT.get(name, "wesley-dark")


def initial_theme(environment: Mapping[str, str]) -> str:
    """``WESLEY_THEME``, else the terminal's own colours where ours could not be shown (``NO_COLOR``, 16 colours).

    Textual is colourless under NO_COLOR only with an ``ansi-*`` theme.
    """
    wished = environment.get("WESLEY_THEME", "")
    if wished:
        return {"dark": "wesley-dark", "light": "wesley-light", "ansi": "ansi-dark"}.get(wished, wished)
    if "NO_COLOR" in environment or environment.get("TERM") in ("dumb", "linux", "vt100", "ansi"):
        return "ansi-dark"
    return "wesley-dark"
