"""Where the style sheets are: inside the package when it was installed as a wheel, else at the top of the checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["style_sheet"]

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_data" / "styles", _PACKAGE.parent / "styles")


def style_sheet(name: str) -> Path:
    """The path of ``styles/<name>``; raises :class:`FileNotFoundError` that names every place that was tried."""
    for place in _PLACES:
        if (place / name).is_file():
            return place / name
    tried = ", ".join(str(place / name) for place in _PLACES)
    raise FileNotFoundError(f"the style sheet is missing from this installation; looked for {tried}. Install again.")
