"""``wesley verify``: was the history of this database tampered with?"""

from __future__ import annotations

import re
import sys

import click

from wesley_tui.cli import options
from wesley_tui.cli.exit_codes import ExitCode
from wesley_tui.cli.output import printable, result, result_json


@click.command("verify", short_help="Check the event chain and the certificates of a database.")
@options.database
@click.option("--key", metavar="HEX", help="Accept only certificates signed with this Ed25519 public key.")
@options.as_json
def command(conninfo: str, key: str | None, as_json: bool) -> None:
    """Check event chain, ledger and certificates; exit code 6 when one of them was changed."""
    if key is not None and re.fullmatch(r"[0-9a-fA-F]{64}", key) is None:
        raise click.UsageError(
            "--key takes the whole Ed25519 public key, 64 hexadecimal digits: it is `certificate.public_key` of the "
            "report of `wesley apply --json`. Nothing was checked."
        )
    from wesley_tui.services.audit import verify_database
    from wesley_tui.services.target import Target

    found = verify_database(Target(conninfo), key.lower() if key else None)
    if as_json:
        result_json(
            {
                "ok": not found.problems,
                "problems": list(found.problems),
                "runs": found.runs,
                "certificates": found.certificates,
            }
        )
    elif found.problems:
        result(printable("\n".join(found.problems)))
    else:
        result(f"Nothing was changed: {found.runs} run(s), {found.certificates} certificate(s), event chain whole.")
    if found.problems:
        sys.exit(int(ExitCode.CHECK_FAILED))
