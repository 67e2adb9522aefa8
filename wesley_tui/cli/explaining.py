"""``--explain`` with or without a form: alone it means ``--explain=text``, and never swallows the word after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wesley_tui.cli.output import result, result_json

if TYPE_CHECKING:
    from wesley_tui.planner.outlook import Outlook
    from wesley_tui.planner.plan import Plan

__all__ = ["ExplainingCommand", "as_explained"]


class ExplainingCommand(click.Command):
    """Click's own optional values would take the schema in ``--explain schema.graphql`` for the form."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        told = ["--explain=text" if word == "--explain" else word for word in args[:end]]
        return super().parse_args(ctx, [*told, *args[end:]])


def as_explained(plan: Plan, outlook: Outlook, form: str) -> None:
    """Write the explanation in one of its forms."""
    from wesley_tui.planner.explain import explain_json, explain_markdown, explain_text

    if form == "json":
        result_json(explain_json(plan, outlook))
    elif form == "markdown":
        result(explain_markdown(plan, outlook))
    else:
        result(explain_text(plan, outlook))
