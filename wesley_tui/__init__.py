"""Wesley: the declared schema is GraphQL SDL, the truth is PostgreSQL, the difference is a plan.

The pipeline, one direction only, is also the map of this package::

    text ──sdl──▶ Catalog (desired) ─┐
                                     ├─diff─▶ Changes ─planner─▶ Plan ─executor─▶ Events
    database ──catalog──▶ Catalog ───┘

``docs/architecture.md`` names the rooms and what each may import.
"""

__version__ = "0.1.0"
