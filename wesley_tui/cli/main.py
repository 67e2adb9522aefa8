"""``wesley``: a table of commands. A command's module is imported when it is called, so that ``--help`` is instant."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping

import click

from wesley_tui import __version__
from wesley_tui.cli.exit_codes import ExitCode, exit_code_of

COMMANDS: Mapping[str, str] = {
    "demo": "Start an embedded PostgreSQL with an example session.",
    "pull": "Write the schema of a live database as SDL.",
    "plan": "Show what has to be done to make a database match a schema.",
    "lint": "Show the hazards of hand-written SQL.",
    "blockers": "Say who is in the way of a plan now.",
    "quiet": "Say when a database is quiet.",
    "apply": "Execute a plan, or the plan of a schema.",
    "resume": "Go on with a run that failed or was killed.",
    "pause": "Pause a run after its current step or batch.",
    "rollback": "Take back what a run has done.",
    "skip": "Leave a step out of a run.",
    "retry": "Try a step again that waits, failed or was left out.",
    "terminate": "End a session that holds up a run.",
    "throttle": "Change the limits of a run while it goes on.",
    "cancel": "Cancel a run, or give up one that was left.",
    "attach": "See a run live, from its first event to its last.",
    "status": "Tell what the last run did, step by step.",
    "history": "List the runs of a database.",
    "verify": "Check the event chain and the certificates of a database.",
}

_OPEN = "open"
"""Hidden: ``wesley schema.graphql --db …`` opens the file in the terminal application."""

_DEFAULT_FILE = "schema.graphql"


class _LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps without importing them."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS and cmd_name != _OPEN:
            return None
        module = importlib.import_module(f"wesley_tui.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            if os.path.exists(args[0]):
                return super().resolve_command(ctx, [_OPEN, *args])
            if os.sep in args[0] or os.path.splitext(args[0])[1]:
                raise click.UsageError(f"There is no file '{args[0]}' to open. Nothing was read or changed.", ctx)
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean '{near[0]}'?" if near else f" Commands: {', '.join(COMMANDS)}."
            raise click.UsageError(f"There is no command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 schema invalid, 4 cannot connect, 5 lock not acquired, "
    "6 check failed, 7 drift, 8 unsafe blocked, 9 cancelled, 10 recovery needed.",
)
@click.version_option(__version__, prog_name="wesley")
@click.option(
    "--db", "conninfo", default="", metavar="URI", help="libpq URI or conninfo; default: the PG* environment."
)
@click.option("--unsafe", is_flag=True, help="Let steps of class H3 be confirmed by typing their names.")
@click.pass_context
def cli(ctx: click.Context, conninfo: str, unsafe: bool) -> None:
    """Zero-downtime PostgreSQL migrations from a declared GraphQL schema.

    `wesley [FILE...] [--db URI]` opens the terminal application; without FILE on `schema.graphql`, if there is one.
    Behind FILE it takes --policy, --schema, --ignore and the other options of `wesley plan` that shape a plan.
    """
    if conninfo:
        ctx.default_map = {name: {"conninfo": conninfo} for name in (*COMMANDS, _OPEN)}
    if ctx.invoked_subcommand is None:
        from wesley_tui.cli.commands.open import open_application

        here = (_DEFAULT_FILE,) if os.path.isfile(_DEFAULT_FILE) else ()
        open_application(here, conninfo, unsafe=unsafe)


def main() -> None:
    """Entry point: every error becomes one clear message and its exit code, never a traceback."""
    as_json = "--json" in sys.argv[1:]
    try:
        cli(standalone_mode=False, prog_name="wesley")
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        if as_json:
            from wesley_tui.cli.output import fail_usage

            fail_usage(error.format_message(), error.exit_code)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        from wesley_tui.cli.output import note

        note("wesley: interrupted")
        sys.exit(int(ExitCode.INTERRUPTED))
    except Exception as error:
        from wesley_tui.cli.output import fail

        code = exit_code_of(error)
        if code is not None:
            fail(error, code, as_json=as_json)
        from wesley_tui.cli.crash import CrashReport

        fail(CrashReport(error), ExitCode.FAILED, as_json=as_json)
