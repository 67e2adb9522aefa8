"""``wesley demo``: an embedded PostgreSQL with an example session; the TUI at a terminal, the same flow without one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import note, result, result_json

if TYPE_CHECKING:
    from wesley_tui.demo.sessions import Session
    from wesley_tui.services.demo import Demo


@click.command("demo", short_help="Start an embedded PostgreSQL with an example session.")
@click.option("--session", "slug", default="", metavar="NAME", help="Which example; see --list.")
@click.option("--list", "list_sessions", is_flag=True, help="Name the example sessions and stop.")
@click.option("--headless", is_flag=True, help="Plan, apply and verify without the terminal application.")
@click.option("--keep", is_flag=True, help="Go on with the database of the last demo instead of loading it again.")
@click.option(
    "--unsafe", is_flag=True, help="Let steps of class H3 be confirmed by typing their names; headless: allow them."
)
@options.as_json
def command(slug: str, list_sessions: bool, headless: bool, keep: bool, unsafe: bool, as_json: bool) -> None:
    """Start a private PostgreSQL, load an example session and open it; the server stops when you leave."""
    from wesley_tui.demo.sessions import available, default, find

    if list_sessions:
        _list(available(), as_json=as_json)
        return
    from platformdirs import user_state_path

    from wesley_tui.services.demo import prepare

    session = find(slug) if slug else default()
    demo = prepare(session, user_state_path("wesley") / "demo", note, keep=keep)
    try:
        if headless or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            _headless(demo, as_json=as_json, unsafe=unsafe)
        else:
            from wesley_tui.cli.commands.open import open_application

            open_application((str(demo.schema_path),), demo.target.conninfo, unsafe=unsafe)
    finally:
        stopped = demo.stop()
        note("the embedded PostgreSQL is stopped" if stopped else "another demo goes on with the embedded PostgreSQL")


def _list(sessions: Iterable[Session], *, as_json: bool) -> None:
    if as_json:
        result_json([{"slug": item.slug, "title": item.title, "summary": item.summary} for item in sessions])
    else:
        result("\n".join(f"{item.slug:<22} {item.title}: {item.summary}" for item in sessions))


def _headless(demo: Demo, *, as_json: bool, unsafe: bool) -> None:
    """What a person would do in the TUI: look at the plan, run it, and see that the database then matches."""
    from wesley_tui.cli.run_report import finish, print_event
    from wesley_tui.services.options import PlanningOptions
    from wesley_tui.services.planning import plan_schema
    from wesley_tui.services.runs import execute, explain_before
    from wesley_tui.services.workbench import Workbench

    options_ = PlanningOptions()
    planned = plan_schema(demo.target, (str(demo.schema_path),), options_)
    for warning in planned.warnings:
        note(str(warning))
    if not as_json:
        result(Workbench(demo.target, options_).explain(planned.plan))
    note(explain_before(planned.plan, contract=False))
    report = execute(
        demo.target,
        planned.plan,
        options_,
        unsafe=unsafe,
        contract=False,
        say=note,
        listen=print_event,
    )
    finish(report, as_json=as_json)
