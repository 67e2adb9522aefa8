"""What every key of a table needs: the columns that it names, and a name of its own.

A name that nobody wrote is the one that PostgreSQL would choose: ``users_pkey``, ``users_email_key``,
``users_org_id_fkey``, ``users_age_check``, ``users_lower_idx``, with a number when it is taken
(``ChooseRelationName()`` and ``ChooseConstraintName()`` of the server). Names that are written down are known before
the first default one is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wesley_tui.catalog.model import Column, Constraint, Index
from wesley_tui.catalog.naming import MAX_IDENTIFIER_BYTES, default_name, quote_ident
from wesley_tui.sdl.defaults import without_typmod
from wesley_tui.sdl.drafts import PendingForeignKey
from wesley_tui.sdl.fields import check_name
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import nearest, snake_case
from wesley_tui.sdl.usage import Use

__all__ = ["KeyNames", "distinct_labels", "elements_not_null", "open_column"]

_KEY_DIRECTIVES = ("pk", "unique", "index", "fk", "check", "exclude")


class KeyNames:
    """The names and columns of one table, and the keys that are made of them.

    ``failed`` are names of fields and columns that are wrong already; ``taken`` default names that other tables of the
    schema have. With ``open_columns`` the table has columns that are not known here, those of its parents: a name in
    quotes of SQL is taken as it is, any other as a field.
    """

    def __init__(
        self,
        table: str,
        columns: Mapping[str, Column],
        fields: Mapping[str, str],
        failed: frozenset[str],
        taken: frozenset[str],
        issues: Issues,
        *,
        open_columns: bool = False,
    ) -> None:
        self._table = table
        self._columns = columns
        self._fields = fields
        self._failed = failed
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}
        self._issues = issues
        self._open = open_columns
        self.constraints: list[Constraint] = []
        self.indexes: list[Index] = []
        self.foreign_keys: list[PendingForeignKey] = []
        self.primary_columns: tuple[str, ...] = ()
        self.default_names: set[str] = set()
        self.spots: dict[str, Spot] = {}

    # -- names ------------------------------------------------------------------------------------------------------

    def _name(self, use: Use, what: str, columns: Sequence[str], suffix: str) -> str:
        written: str | None = use.get("name")
        if written is not None:
            check_name(written, what, use.spot_of("name"), self._issues)
            self.spots[f"{what} {written}"] = use.spot
            return written
        name = self._default(columns, suffix, use.spot)
        self.spots[f"{what} {name}"] = use.spot
        return name

    def _default(self, columns: Sequence[str], suffix: str, spot: Spot) -> str:
        name = first = default_name(self._table, columns, suffix)
        # Names only get taken, never free: what was tried for the last one of that name need not be tried again.
        number = self._numbers.get(first, 0)
        while name in self._taken:
            number += 1
            name = default_name(self._table, columns, f"{suffix}{number}")
        self._numbers[first] = number
        if number and len(first.encode()) >= MAX_IDENTIFIER_BYTES - 3:
            self._issues.error(
                "name-too-long",
                f"the name {first!r}, shortened to PostgreSQL's {MAX_IDENTIFIER_BYTES} bytes, is taken by another "
                "constraint or index",
                spot,
                "give one of them a name: name: …",
            )
        self._taken.add(name)
        self.default_names.add(name)
        return name

    # -- columns ----------------------------------------------------------------------------------------------------

    def _key_columns(self, use: Use) -> tuple[str, ...] | None:
        fields = use.get("fields")
        if not fields:
            self._issues.error(
                "missing-argument", f"@{use.name} on a type needs fields: which columns is it about?", use.spot
            )
            return None
        return self._resolve(use, "fields")

    def _resolve(self, use: Use, argument: str) -> tuple[str, ...] | None:
        """Columns that this list of field or column names means; None, with errors, when one is unknown."""
        result: list[str] = []
        good = True
        for name in use.get(argument) or ():
            column = self._fields.get(name, name)
            if column in self._failed:
                good = False
            elif column not in self._columns and self._open:
                result.append(open_column(name))
            elif column not in self._columns:
                near = nearest(name, [*self._fields, *self._columns])
                self._issues.error(
                    "unknown-column",
                    f"table {self._table!r} has no column for {name!r}",
                    use.spot_of(argument),
                    f"did you mean {near}?" if near else "relations and dropped fields are no columns",
                )
                good = False
            elif column in result and use.name == "index":
                # PostgreSQL allows it, and databases have it.
                self._issues.warn(
                    "repeated-column", f"{name!r} stands twice in the index, which gains nothing", use.spot_of(argument)
                )
                result.append(column)
            elif column in result:
                self._issues.error(
                    "repeated-column", f"{name!r} stands twice in @{use.name}({argument}:)", use.spot_of(argument)
                )
                good = False
            else:
                result.append(column)
        return tuple(result) if good else None

    def _claim(self, owners: Iterable[Mapping[str, list[Use]]]) -> None:
        """Take note of written names. An index may share its name with a check or a foreign key, nothing else may."""
        relations: set[str] = set()
        constraints: set[str] = set()
        for owner in owners:
            if not owner:
                continue
            for directive in _KEY_DIRECTIVES:
                for use in owner.get(directive, ()):
                    name = use.get("name")
                    if name is None:
                        continue
                    is_index = directive == "index" or (directive == "unique" and "where" in use.arguments)
                    spaces = (
                        [relations]
                        if is_index
                        else [constraints]
                        if directive in ("fk", "check")
                        else [relations, constraints]
                    )
                    if any(name in space for space in spaces):
                        self._issues.error(
                            "duplicate-name",
                            f"two constraints or indexes of table {self._table!r} are called {name!r}",
                            use.spot_of("name"),
                            "give each its own name, or leave the names to PostgreSQL's rule",
                        )
                    for space in spaces:
                        space.add(name)
        self._taken |= relations | constraints

    def _deferral(self, use: Use) -> tuple[bool, bool]:
        deferred = bool(use.get("initiallyDeferred", False))
        if deferred and use.get("deferrable") is False:
            self._issues.error(
                "wrong-argument", "initiallyDeferred makes it deferrable, and deferrable says no", use.spot
            )
        return bool(use.get("deferrable", False)) or deferred, deferred


def open_column(name: str) -> str:
    """The column that a name means where the columns are not known: exact in quotes of SQL, else as of a field."""
    if len(name) > 2 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return snake_case(name)


def elements_not_null(column: Column) -> str:
    """The check of ``[T!]``, as ``pg_get_expr()`` prints it back: the cast is that of the element, without a length."""
    element = without_typmod(column.type.removesuffix("[]"))
    return f"(array_position({quote_ident(column.name)}, NULL::{element}) IS NULL)"


def distinct_labels(labels: Iterable[str]) -> list[str]:
    """Key names of an index: the second ``lower`` is ``lower1`` (``ChooseIndexColumnNames()``)."""
    result: list[str] = []
    for label in labels:
        name, number = label, 0
        while name in result:
            number += 1
            name = f"{label}{number}"
        result.append(name)
    return result
