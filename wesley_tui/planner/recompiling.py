"""Functions are compiled again where the name of a column means another type.

A session keeps what it has compiled of a PL/pgSQL function, with the type that every field of a row had then. When
``NEW.v`` has another type later, it fails at every call until it connects again: ``type of parameter 15 (integer) does
not match that when preparing the plan (bigint)``. So it does after PostgreSQL's own ALTER COLUMN TYPE, too.

What makes every session compile a function again is a new version of its row in ``pg_proc``, in the same transaction as
the other type. An ALTER that sets what is set already makes one, and nobody waits for it. Which functions that concerns
is found when it runs, because triggers of other plans may stand on the table, with functions in schemas that the plan
does not look at: those of its triggers, those that take its rows, and those that name it. A function of somebody else
is left as it is: only its owner may alter it.
"""

from __future__ import annotations

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.naming import qualified, quote_literal
from wesley_tui.planner.situation import Situation

__all__ = ["compiled_again", "compiled_again_in_place", "table_of_code"]

_TAG = "$wesley$"
_HEAD = "DECLARE\n  concerned CONSTANT pg_catalog.regclass := "
_BODY = """;
  f record;
BEGIN
  FOR f IN
    WITH RECURSIVE below(relation) AS (
      SELECT concerned::pg_catalog.oid
      UNION
      SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN below AS b ON i.inhparent = b.relation
    )
    SELECT p.oid, p.procost FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
    JOIN pg_catalog.pg_class AS c ON c.oid = concerned
    WHERE l.lanname = 'plpgsql' AND p.prokind = 'f'
    AND pg_catalog.pg_has_role(p.proowner, 'USAGE') AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE')
    AND (
      p.oid IN (
        SELECT t.tgfoid FROM pg_catalog.pg_trigger AS t JOIN below AS b ON t.tgrelid = b.relation
        WHERE NOT t.tgisinternal
      )
      OR c.reltype = ANY (p.proargtypes)
      OR pg_catalog.strpos(pg_catalog.lower(p.prosrc), pg_catalog.lower(c.relname)) > 0 AND (
        c.relname ~ '[^[:alnum:]_]'
        OR pg_catalog.lower(c.relname)
          = ANY (pg_catalog.regexp_split_to_array(pg_catalog.lower(p.prosrc), '[^[:alnum:]_]+'))
      )
    )
    ORDER BY p.oid
  LOOP
    EXECUTE pg_catalog.format(
      'ALTER FUNCTION %s COST %s', f.oid::pg_catalog.regprocedure, f.procost::pg_catalog.float4
    );
  END LOOP;
END
"""


def compiled_again(table: QName) -> str:
    """A statement for the transaction in which a column of ``table`` gets another type, under the name that the table
    has then. Every session compiles the PL/pgSQL functions again that read rows of it."""
    return f"DO {_TAG}\n{_HEAD}{quote_literal(qualified(table))}{_BODY}{_TAG}"


def compiled_again_in_place(table: QName, situation: Situation) -> tuple[str, ...]:
    """:func:`compiled_again` for an ALTER COLUMN TYPE; nothing where nobody has functions."""
    needed = any(ref.kind in ("function", "trigger") for ref in situation.live.objects) or any(
        item.function for item in situation.snapshot.resting_columns
    )
    return (compiled_again(table),) if needed else ()


def table_of_code(code: str) -> str | None:
    """The table of :func:`compiled_again`, as SQL writes it, from what stands between its dollars; None for any other
    code."""
    head, body = f"\n{_HEAD}'", f"'{_BODY}"
    if not (code.startswith(head) and code.endswith(body)):
        return None
    return code[len(head) : len(code) - len(body)].replace("''", "'")
