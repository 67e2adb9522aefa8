"""``wesley pull``: a live database as SDL."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import note, result, result_json


@click.command("pull", short_help="Write the schema of a live database as SDL.")
@options.database
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of stdout.")
@click.option("--schema", "schemas", multiple=True, metavar="NAME", help="Only this schema (repeatable).")
@options.scoped
@options.as_json
def command(
    conninfo: str, output: str | None, schemas: tuple[str, ...], ignore: tuple[str, ...], as_json: bool
) -> None:
    """Read the catalog and write it as SDL that plans to nothing against the same database."""
    gc.disable()  # one answer, then exit: collecting cycles meanwhile costs a tenth of the time and frees nothing
    from wesley_tui.diff.ignoring import without_ignored
    from wesley_tui.sdl.emit import emit_schema
    from wesley_tui.services.sources import write_atomically
    from wesley_tui.services.target import Target

    catalog = without_ignored(asyncio.run(Target(conninfo).snapshot(schemas or None)).catalog, ignore)
    for name in schemas:
        if name not in catalog.schemas:
            note(f"{name}: there is no such schema here, or nothing of it is looked at")
    text = emit_schema(catalog)
    tables, enums, objects = catalog.tables, catalog.enums, catalog.objects
    unmanaged = [f"{item.kind} {item.name}" for item in catalog.unmanaged]
    for name in unmanaged:
        note(f"left alone: {name} (no place in the schema yet)")
    if output is not None:
        write_atomically(Path(output), text)
        note(f"{len(tables)} tables, {len(enums)} enums and {len(objects)} other objects written to {output}")
    if as_json:
        result_json(
            {
                "sdl": text,
                "tables": len(tables),
                "enums": len(enums),
                "objects": len(objects),
                "unmanaged": unmanaged,
                "output": output,
            }
        )
    elif output is None:
        result(text)
