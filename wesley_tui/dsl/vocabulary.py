"""The one table of operations: the word, what it means, which fields it has, and the SQL that it stands for.

Objects that are SQL by nature (functions, triggers, rules …) carry their ``definition``: exactly one statement of that
kind. Everything else is written with named fields. Two operations hold others: ``alter_table`` several changes of one
table in one statement, ``in_one_transaction`` several statements in one step; :mod:`.document` knows those, and
``backfill_sql``, whose statement is run in batches (:mod:`.backfill`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from pglast import ast

from wesley_tui.dsl.kinds import LITERAL, RELATION, Scalar, node_of
from wesley_tui.dsl.shapes import ALL_KINDS, COLUMN, CONSTRAINTS, check_fields
from wesley_tui.dsl.spelling import parts_of, qname_of
from wesley_tui.dsl.template import Fields, Template, Values, Wrong
from wesley_tui.dsl.tokens import Token, balanced_ends
from wesley_tui.planner.recompiling import compiled_again, table_of_code

__all__ = ["DESCRIPTIONS", "OPERATIONS", "Word", "recognised"]

DESCRIPTIONS: Mapping[str, str] = {
    "table": "The table, with its schema.",
    "column": "The name of the column.",
    "type": "A type as SQL writes it.",
    "constraint": "The name of the constraint.",
    "index": "The name of the index; with its schema where it stands alone.",
    "to": "The new name.",
    "default": "An SQL expression.",
    "using": "An SQL expression that makes the new value from the old one.",
    "definition": "The whole statement that makes it, as SQL.",
    "query": "A SELECT.",
    "text": "The comment; leave it out to take the comment away.",
    "check": "The condition, without CHECK and its parentheses.",
    "where": "Only rows for which this condition holds.",
    "keys": "Columns by name, or objects with column or expression and how they are ordered.",
    "columns": "In order.",
    "tag": "What the resting names are made with; left out, the plan chooses.",
    "bound": "DEFAULT, or FOR VALUES …, as SQL writes it.",
    "statement": "One SQL statement.",
}


@dataclass(frozen=True)
class Word:
    """An operation: how it is called, and what it means in SQL."""

    name: str
    meaning: str
    texts: tuple[str, ...]
    names: tuple[str, ...]
    """The fields whose values, with dots between, name what is changed."""
    kinds: Mapping[str, Any]

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        return tuple(Template(text, self.kinds) for text in self.texts)

    @cached_property
    def fields(self) -> Fields:
        """Of all forms; a field is required when every form needs it."""
        forms = [template.fields() for template in self.templates]
        found: Fields = {}
        for form in forms:
            for name, (kind, _) in form.items():
                found[name] = (kind, all(name in other and other[name][1] for other in forms))
        return found

    def check(self, values: Values) -> None:
        """Raises :class:`Wrong`; ``op`` is not looked at."""
        check_fields(values, self._form(values).fields(), ("op",))

    def sql(self, values: Values) -> str:
        return self._form(values).render(values)

    def _form(self, values: Values) -> Template:
        """The form that takes all the fields that are given, and is given all that it needs; the nearest when there is
        none."""

        def misses(template: Template) -> int:
            fields = template.fields()
            unknown = sum(name not in fields for name in values if name != "op")
            return unknown + sum(needed and name not in values for name, (_, needed) in fields.items())

        near = sorted(self.templates, key=misses)
        best = [template for template in near if misses(template) == misses(near[0])]
        return next((template for template in best if _fits(template, values)), best[0])

    def object_of(self, values: Values) -> str:
        """What is changed, as plans name it: ``public.users.email``."""
        parts: list[str] = []
        fields = self._form(values).fields()
        for name in self.names:
            value = values.get(name)
            if name == "definition" and isinstance(value, str):
                return _defined(value)
            if isinstance(value, str):
                kind = fields[name][0] if name in fields else None
                relation = kind in (_KINDS["relation"], _KINDS["recompiled"])
                dotted = relation or kind in (_KINDS["qualified"], _KINDS["column_path"])
                named = parts_of(value) if dotted else [value]
                if relation and len(named) == 1:
                    named = ["public", *named]
                parts += named
        return ".".join(parts)

    def recognise(self, statement: str) -> Values | None:
        for template in self.templates:
            values = template.recognise(statement)
            if values is not None:
                return {"op": self.name, **values}
        return None


def _fits(template: Template, values: Values) -> bool:
    try:
        check_fields(values, template.fields(), ("op",))
    except Wrong:
        return False
    return True


@lru_cache(maxsize=1024)
def _defined(definition: str) -> str:
    """The name in a CREATE statement, as far as it has one."""
    node = node_of("{}", definition)
    for field in ("view", "relation", "sequence"):
        found = getattr(node, field, None)
        if found is not None:
            whole = f"{found.schemaname or 'public'}.{found.relname}"
            own = getattr(node, "trigname", None) or getattr(node, "rulename", None)
            return f"{own} ON {whole}" if own else whole
    names = getattr(node, "funcname", None) or getattr(node, "domainname", None) or getattr(node, "defnames", None)
    names = names or getattr(node, "typeName", None)
    if names is not None and not isinstance(names, ast.Node):
        return ".".join(part.sval for part in names)
    typevar = getattr(node, "typevar", None)
    if typevar is not None:
        return f"{typevar.schemaname or 'public'}.{typevar.relname}"
    return str(getattr(node, "pubname", None) or getattr(node, "trigname", None) or " ".join(definition.split()[:4]))


def _definition(what: str, *nodes: type[Any]) -> Scalar:
    def examine(text: str) -> None:
        node = node_of("{}", text)
        if not isinstance(node, nodes):
            raise Wrong(f"a statement that makes {what} is expected here")

    def same(text: str) -> str:
        return text

    return Scalar(what, examine, same, same, lambda tokens, start: balanced_ends(tokens, start), {"minLength": 1})


_DEFINITIONS: Mapping[str, tuple[str, tuple[type[Any], ...], str]] = {
    "create_function": ("a function", (ast.CreateFunctionStmt,), "CREATE [OR REPLACE] FUNCTION …"),
    "create_procedure": ("a procedure", (ast.CreateFunctionStmt,), "CREATE [OR REPLACE] PROCEDURE …"),
    "create_trigger": ("a trigger", (ast.CreateTrigStmt,), "CREATE TRIGGER …"),
    "create_rule": ("a rule", (ast.RuleStmt,), "CREATE RULE …"),
    "create_sequence": ("a sequence", (ast.CreateSeqStmt,), "CREATE SEQUENCE …"),
    "alter_sequence": ("a change of a sequence", (ast.AlterSeqStmt,), "ALTER SEQUENCE …"),
    "create_domain": ("a domain", (ast.CreateDomainStmt,), "CREATE DOMAIN …"),
    "alter_domain": ("a change of a domain", (ast.AlterDomainStmt,), "ALTER DOMAIN …"),
    "create_composite_type": ("a composite type", (ast.CompositeTypeStmt,), "CREATE TYPE … AS (…)"),
    "create_range_type": ("a range type", (ast.CreateRangeStmt,), "CREATE TYPE … AS RANGE (…)"),
    "create_aggregate": ("an aggregate", (ast.DefineStmt,), "CREATE AGGREGATE …"),
    "create_statistics": ("extended statistics", (ast.CreateStatsStmt,), "CREATE STATISTICS …"),
    "create_publication": ("a publication", (ast.CreatePublicationStmt,), "CREATE PUBLICATION …"),
    "create_event_trigger": ("an event trigger", (ast.CreateEventTrigStmt,), "CREATE EVENT TRIGGER …"),
    "create_default_privileges": (
        "default privileges", (ast.AlterDefaultPrivilegesStmt,), "ALTER DEFAULT PRIVILEGES …",
    ),
}  # fmt: skip

_T = "ALTER TABLE {table} "
_C = _T + "ALTER COLUMN {column} "
_ADD = _T + "ADD CONSTRAINT {constraint} "
_INDEX = (
    "{index:name} ON {table}[ USING {method:name}] ({keys})[ INCLUDE ({include:names})]"
    "[?nulls_not_distinct  NULLS NOT DISTINCT][ WITH ({options})][ TABLESPACE {tablespace:name}]"
    "[ WHERE ({where:expression})]"
)
_POLICY = "[ USING ({using:expression})][ WITH CHECK ({check:expression})]"
_TABLE = (
    "CREATE[?unlogged  UNLOGGED] TABLE {table} {body}[ INHERITS ({inherits:relations})]"
    "[ PARTITION BY {partition_by:partition_key}][ USING {access_method:name}][ WITH ({options})]"
    "[ TABLESPACE {tablespace:name}]"
)
_PARTITION = (
    "CREATE[?unlogged  UNLOGGED] TABLE {table} PARTITION OF {partition_of:relation} {bound}"
    "[ PARTITION BY {partition_by:partition_key}][ WITH ({options})][ TABLESPACE {tablespace:name}]"
)
_SIMPLE: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    # name, meaning, names of what is changed, templates
    ("create_schema", "A new schema.", ("schema",), ("CREATE SCHEMA[?if_not_exists  IF NOT EXISTS] {schema:name}",)),
    ("drop_schema", "An empty schema goes.", ("schema",), ("DROP SCHEMA {schema:name}",)),
    ("create_table", "A new table, or a partition.", ("table",), (_PARTITION, _TABLE)),
    ("rename_table", "Another name in the same schema.", ("table",), (_T + "RENAME TO {to:name}",)),
    ("move_table", "Into another schema.", ("table",), (_T + "SET SCHEMA {schema:name}",)),
    ("drop_table", "The table goes, with its rows.", ("table",), ("DROP TABLE {table}",)),
    ("set_table_options", "Storage parameters.", ("table",), (_T + "SET ({options})",)),
    ("reset_table_options", "Storage parameters back to their defaults.", ("table",),
     (_T + "RESET ({names:option_names})",)),
    ("set_logged", "The table survives a crash: every row is written again.", ("table",), (_T + "SET LOGGED",)),
    ("set_unlogged", "The table is emptied by a crash.", ("table",), (_T + "SET UNLOGGED",)),
    ("set_tablespace", "The rows move to another tablespace.", ("table",), (_T + "SET TABLESPACE {tablespace:name}",)),
    ("set_access_method", "The rows are kept in another way.", ("table",),
     (_T + "SET ACCESS METHOD {access_method:name}",)),
    ("set_replica_identity", "What logical replication knows old rows by.", ("table",), (
        _T + "REPLICA IDENTITY USING INDEX {index:name}", _T + "REPLICA IDENTITY <identity:DEFAULT|FULL|NOTHING>",
    )),
    ("inherit", "The table becomes a child.", ("table",), (_T + "INHERIT {parent:relation}",)),
    ("no_inherit", "The table is no child any more.", ("table",), (_T + "NO INHERIT {parent:relation}",)),
    ("attach_partition", "A table becomes a partition.", ("partition",), (
        _T + "ATTACH PARTITION {partition:relation} {bound}",
    )),
    ("detach_partition", "A partition becomes a table of its own.", ("partition",), (
        _T + "DETACH PARTITION {partition:relation}[?concurrently  CONCURRENTLY]",
    )),
    ("finish_detach", "Ends a DETACH CONCURRENTLY that was interrupted.", ("partition",), (
        _T + "DETACH PARTITION {partition:relation} FINALIZE",
    )),
    ("enable_trigger", "A trigger runs again.", ("table", "trigger"), (
        _T + "ENABLE[ <when:ALWAYS|REPLICA>] TRIGGER {trigger:name}",
    )),
    ("disable_trigger", "A trigger does not run any more.", ("table", "trigger"),
     (_T + "DISABLE TRIGGER {trigger:name}",)),
    ("enable_rule", "A rule counts again.", ("table", "rule"), (
        _T + "ENABLE[ <when:ALWAYS|REPLICA>] RULE {rule:name}",
    )),
    ("disable_rule", "A rule does not count any more.", ("table", "rule"), (_T + "DISABLE RULE {rule:name}",)),
    ("cluster_on", "Which index CLUSTER uses.", ("table",), (
        _T + "CLUSTER ON {index:name}", _T + "SET WITHOUT CLUSTER",
    )),
    ("add_column", "A new column.", ("table", "column"), (_T + "ADD COLUMN " + COLUMN,)),
    ("drop_column", "The column goes, with its data.", ("table", "column"), (_T + "DROP COLUMN {column}",)),
    ("rename_column", "Another name.", ("table", "to"), (_T + "RENAME COLUMN {column} TO {to:name}",)),
    ("alter_type", "Another type.", ("table", "column"), (
        _C + "TYPE {type}[ COLLATE {collation:qualified}][ USING {using:expression}]",
    )),
    ("set_default", "A default for rows inserted from now on.", ("table", "column"), (_C + "SET DEFAULT {default}",)),
    ("drop_default", "No default any more.", ("table", "column"), (_C + "DROP DEFAULT",)),
    ("set_not_null", "No NULL any more.", ("table", "column"), (_C + "SET NOT NULL",)),
    ("drop_not_null", "NULL is allowed.", ("table", "column"), (_C + "DROP NOT NULL",)),
    ("add_identity", "The column numbers itself.", ("table", "column"), (
        _C + "ADD GENERATED <identity:ALWAYS|BY DEFAULT> AS IDENTITY",
    )),
    ("set_identity", "Whether the number may be given.", ("table", "column"), (
        _C + "SET GENERATED <identity:ALWAYS|BY DEFAULT>",
    )),
    ("drop_identity", "The column does not number itself any more.", ("table", "column"), (_C + "DROP IDENTITY",)),
    ("set_generated", "Another generation expression (PostgreSQL 17).", ("table", "column"), (
        _C + "SET EXPRESSION AS ({generated:expression})",
    )),
    ("drop_expression", "The stored values stay, nothing computes them.", ("table", "column"),
     (_C + "DROP EXPRESSION",)),
    ("set_column_storage", "How long values are stored.", ("table", "column"), (
        _C + "SET STORAGE <storage:PLAIN|EXTERNAL|EXTENDED|MAIN|DEFAULT>",
    )),
    ("set_column_compression", "How long values are compressed.", ("table", "column"), (
        _C + "SET COMPRESSION <compression:PGLZ|LZ4|DEFAULT>",
    )),
    ("set_column_statistics", "How much ANALYZE looks at; -1 is the default.", ("table", "column"), (
        _C + "SET STATISTICS {statistics}",
    )),
    ("set_column_options", "n_distinct and the like.", ("table", "column"), (_C + "SET ({options})",)),
    ("reset_column_options", "Back to their defaults.", ("table", "column"), (_C + "RESET ({names:option_names})",)),
    ("add_check_not_valid", "Binds new rows at once; validate_constraint proves the others.", ("table", "constraint"), (
        _ADD + CONSTRAINTS["check"] + " NOT VALID",
    )),
    ("add_check", "Reads every row under the lock.", ("table", "constraint"), (_ADD + CONSTRAINTS["check"],)),
    ("add_not_null_not_valid", "PostgreSQL 18: NOT NULL for new rows.", ("table", "constraint"), (
        _ADD + "NOT NULL {column}[?no_inherit  NO INHERIT] NOT VALID",
    )),
    ("add_foreign_key_not_valid", "Binds new rows at once; validate_constraint proves the others.",
     ("table", "constraint"), (_ADD + CONSTRAINTS["foreign_key"] + " NOT VALID",)),
    ("add_foreign_key", "Reads every row under the lock; for new tables.", ("table", "constraint"), (
        _ADD + CONSTRAINTS["foreign_key"],
    )),
    ("add_primary_key_using_index", "Takes over a unique index.", ("table", "constraint"), (
        _ADD + "PRIMARY KEY USING INDEX {index:name}[?deferrable  DEFERRABLE[?initially_deferred  INITIALLY DEFERRED]]",
    )),
    ("add_unique_using_index", "Takes over a unique index.", ("table", "constraint"), (
        _ADD + "UNIQUE USING INDEX {index:name}[?deferrable  DEFERRABLE[?initially_deferred  INITIALLY DEFERRED]]",
    )),
    ("add_primary_key", "Builds its index under the lock.", ("table", "constraint"),
     (_ADD + CONSTRAINTS["primary_key"],)),
    ("add_unique", "Builds its index under the lock.", ("table", "constraint"), (_ADD + CONSTRAINTS["unique"],)),
    ("add_exclusion", "Builds its index under the lock.", ("table", "constraint"), (_ADD + CONSTRAINTS["exclude"],)),
    ("validate_constraint", "Proves the old rows, while readers and writers go on.", ("table", "constraint"), (
        _T + "VALIDATE CONSTRAINT {constraint}",
    )),
    ("drop_constraint", "The rule goes.", ("table", "constraint"), (
        _T + "DROP CONSTRAINT[?if_exists  IF EXISTS] {constraint}",
        "ALTER TABLE[?if_table_exists  IF EXISTS] {table} DROP CONSTRAINT[?if_exists  IF EXISTS] {constraint}",
    )),
    ("rename_constraint", "Another name.", ("table", "to"), (_T + "RENAME CONSTRAINT {constraint} TO {to:name}",)),
    ("add_index_concurrently", "Built beside readers and writers.", ("table", "index"), (
        "CREATE[?unique  UNIQUE] INDEX CONCURRENTLY " + _INDEX,
    )),
    ("add_index", "Built while writers wait; for new tables.", ("table", "index"), (
        "CREATE[?unique  UNIQUE] INDEX " + _INDEX,
        "CREATE[?unique  UNIQUE] INDEX " + _INDEX.replace(" ON {table}", "[?only  ON ONLY {table}]"),
    )),
    ("drop_index_concurrently", "Taken away beside readers and writers.", ("index",), (
        "DROP INDEX CONCURRENTLY[?if_exists  IF EXISTS] {index:relation}",
    )),
    ("drop_index", "Taken away under the lock.", ("index",), ("DROP INDEX {index:relation}",)),
    ("rename_index", "Another name.", ("index",), ("ALTER INDEX {index:relation} RENAME TO {to:name}",)),
    ("attach_index", "The index of a partition joins that of its parent.", ("index",), (
        "ALTER INDEX {index:relation} ATTACH PARTITION {partition_index:relation}",
    )),
    ("create_enum", "A new enum.", ("enum",), ("CREATE TYPE {enum:relation} AS ENUM ({values:literals})",)),
    ("add_enum_value", "One more value.", ("enum", "value"), (
        "ALTER TYPE {enum:relation} ADD VALUE[?if_not_exists  IF NOT EXISTS] {value:literal} BEFORE {before:literal}",
        "ALTER TYPE {enum:relation} ADD VALUE[?if_not_exists  IF NOT EXISTS] {value:literal}[ AFTER {after:literal}]",
    )),
    ("rename_enum_value", "Another name for a value.", ("enum", "to"), (
        "ALTER TYPE {enum:relation} RENAME VALUE {value:literal} TO {to:literal}",
    )),
    ("rename_type", "Another name for an enum, composite or range type.", ("type_name",), (
        "ALTER TYPE {type_name:relation} RENAME TO {to:name}",
    )),
    ("move_type", "Into another schema.", ("type_name",),
     ("ALTER TYPE {type_name:relation} SET SCHEMA {schema:name}",)),
    ("drop_type", "An enum, composite or range type goes.", ("type_name",), ("DROP TYPE {type_name:relation}",)),
    ("create_view", "A new view, or a new definition of one.", ("view",), (
        "CREATE[?replace  OR REPLACE] VIEW {view:relation}[ ({columns:names})][ WITH ({options})] AS\n{query}"
        "[\nWITH <check_option:LOCAL|CASCADED> CHECK OPTION]",
    )),
    ("create_materialized_view", "Its query runs once.", ("view",), (
        "CREATE MATERIALIZED VIEW {view:relation}[ USING {access_method:name}][ WITH ({options})]"
        "[ TABLESPACE {tablespace:name}] AS\n{query}[?no_data \nWITH NO DATA]",
    )),
    ("refresh_materialized_view", "Its query runs again.", ("view",), (
        "REFRESH MATERIALIZED VIEW[?concurrently  CONCURRENTLY] {view:relation}",
    )),
    ("drop_view", "The view goes.", ("view",), ("DROP VIEW {view:relation}",)),
    ("drop_materialized_view", "The view goes, with its rows.", ("view",), ("DROP MATERIALIZED VIEW {view:relation}",)),
    ("create_extension", "A new extension.", ("extension",), (
        "CREATE EXTENSION[?if_not_exists  IF NOT EXISTS] {extension:name}[ WITH SCHEMA {schema:name}]",
    )),
    ("move_extension", "Into another schema.", ("extension",),
     ("ALTER EXTENSION {extension:name} SET SCHEMA {schema:name}",)),
    ("drop_extension", "The extension goes.", ("extension",), ("DROP EXTENSION {extension:name}",)),
    ("own_sequence", "The sequence goes when this column goes.", ("sequence",), (
        "ALTER SEQUENCE {sequence:relation} OWNED BY NONE",
        "ALTER SEQUENCE {sequence:relation} OWNED BY {owner:column_path}",
    )),
    ("continue_numbers", "The sequence of a column goes on after the highest number in use.", ("table", "column"), (
        "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence({sequence_of:literal}, {named:literal}), "
        "COALESCE((SELECT pg_catalog.max({column}) FROM {table}), 0) + 1, false)",
        "SELECT pg_catalog.setval({sequence_name:literal}, "
        "COALESCE((SELECT pg_catalog.max({column}) FROM {table}), 0) + 1, false)",
    )),
    ("recompile_functions", "Open sessions compile the PL/pgSQL functions again that read rows of the table: after a "
     "column has got another type.", ("table",), ("DO {table:recompiled}",)),
    ("drop_sequence", "The sequence goes, with the number that it has reached.", ("sequence",), (
        "DROP SEQUENCE {sequence:relation}",
    )),
    ("rename_object", "Another name for a view, sequence, domain or routine.", ("name",), (
        "ALTER <kind:VIEW|MATERIALIZED VIEW|SEQUENCE|DOMAIN|STATISTICS> {name:relation} RENAME TO {to:name}",
        "ALTER <kind:FUNCTION|PROCEDURE|ROUTINE> {name:routine} RENAME TO {to:name}",
        "ALTER <kind:AGGREGATE> {name:aggregate} RENAME TO {to:name}",
    )),
    ("move_object", "Into another schema.", ("name",), (
        "ALTER <kind:VIEW|MATERIALIZED VIEW|SEQUENCE|DOMAIN|STATISTICS> {name:relation} SET SCHEMA {schema:name}",
        "ALTER <kind:FUNCTION|PROCEDURE|ROUTINE> {name:routine} SET SCHEMA {schema:name}",
        "ALTER <kind:AGGREGATE> {name:aggregate} SET SCHEMA {schema:name}",
    )),
    ("set_statistics_target", "How much ANALYZE looks at for extended statistics.", ("name",), (
        "ALTER STATISTICS {name:relation} SET STATISTICS {target:statistics}",
    )),
    ("leave_bodies_unread", "What functions of the same step name may come later.", (), (
        "SELECT pg_catalog.set_config('check_function_bodies', 'off', true)",
    )),
    ("drop_function", "The function goes.", ("function",), ("DROP FUNCTION {function:routine}",)),
    ("drop_procedure", "The procedure goes.", ("procedure",), ("DROP PROCEDURE {procedure:routine}",)),
    ("drop_aggregate", "The aggregate goes.", ("aggregate",), ("DROP AGGREGATE {aggregate}",)),
    ("drop_domain", "The domain goes.", ("domain",), ("DROP DOMAIN {domain:relation}",)),
    ("drop_statistics", "Extended statistics go.", ("statistics",), ("DROP STATISTICS {statistics:relation}",)),
    ("drop_publication", "The publication goes.", ("publication",), ("DROP PUBLICATION {publication:name}",)),
    ("drop_event_trigger", "The event trigger goes.", ("trigger",), ("DROP EVENT TRIGGER {trigger:name}",)),
    ("enable_event_trigger", "It runs again.", ("trigger",), (
        "ALTER EVENT TRIGGER {trigger:name} ENABLE[ <when:ALWAYS|REPLICA>]",
    )),
    ("disable_event_trigger", "It does not run any more.", ("trigger",), (
        "ALTER EVENT TRIGGER {trigger:name} DISABLE",
    )),
    ("drop_trigger", "The trigger goes.", ("table", "trigger"), ("DROP TRIGGER {trigger:name} ON {table}",)),
    ("drop_rule", "The rule goes.", ("table", "rule"), ("DROP RULE {rule:name} ON {table}",)),
    ("enable_rls", "Row-level security is switched on.", ("table",), (_T + "ENABLE ROW LEVEL SECURITY",)),
    ("disable_rls", "Policies do not count any more.", ("table",), (_T + "DISABLE ROW LEVEL SECURITY",)),
    ("force_rls", "Policies count for the owner too.", ("table",), (_T + "FORCE ROW LEVEL SECURITY",)),
    ("no_force_rls", "Policies do not count for the owner.", ("table",), (_T + "NO FORCE ROW LEVEL SECURITY",)),
    ("create_policy", "A new policy.", ("table", "policy"), (
        "CREATE POLICY {policy:name} ON {table}[?restrictive  AS RESTRICTIVE]"
        "[ FOR <command:ALL|SELECT|INSERT|UPDATE|DELETE>][ TO {roles}]" + _POLICY,
    )),
    ("alter_policy", "Other roles or conditions.", ("table", "policy"), (
        "ALTER POLICY {policy:name} ON {table}[ TO {roles}]" + _POLICY,
    )),
    ("drop_policy", "The policy goes.", ("table", "policy"), ("DROP POLICY {policy:name} ON {table}",)),
    ("grant", "Privileges are given.", ("name",), (
        "GRANT {privileges} ON <kind:TABLE|SEQUENCE|DOMAIN|TYPE> {name:relation} TO {roles}"
        "[?grant_option  WITH GRANT OPTION]",
        "GRANT {privileges} ON <kind:SCHEMA> {name} TO {roles}[?grant_option  WITH GRANT OPTION]",
        "GRANT {privileges} ON <kind:FUNCTION|PROCEDURE> {name:routine} TO {roles}[?grant_option  WITH GRANT OPTION]",
    )),
    ("revoke", "Privileges are taken away.", ("name",), (
        "REVOKE[?grant_option  GRANT OPTION FOR] {privileges} ON <kind:TABLE|SEQUENCE|DOMAIN|TYPE> {name:relation} "
        "FROM {roles}",
        "REVOKE[?grant_option  GRANT OPTION FOR] {privileges} ON <kind:SCHEMA> {name} FROM {roles}",
        "REVOKE[?grant_option  GRANT OPTION FOR] {privileges} ON <kind:FUNCTION|PROCEDURE> {name:routine} FROM {roles}",
    )),
    ("comment", "A comment.", ("kind", "on", "name"), tuple(
        f"COMMENT ON {target} IS {text}" for text in ("{text:literal}", "NULL") for target in (
            "<kind:TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE|TYPE|DOMAIN|INDEX|STATISTICS> {on:relation}",
            "<kind:COLUMN> {on:column_path}",
            "<kind:SCHEMA|EXTENSION|PUBLICATION|EVENT TRIGGER> {on:name}",
            "<kind:FUNCTION|PROCEDURE> {on:routine}",
            "<kind:AGGREGATE> {on:aggregate}",
            "<kind:CONSTRAINT> {name} ON DOMAIN {domain:relation}",
            "<kind:CONSTRAINT|POLICY|TRIGGER|RULE> {name} ON {on:relation}",
        )
    )),
    ("analyze", "Statistics are gathered anew.", ("table",), ("ANALYZE {table}[ ({columns:names})]",)),
    ("run_sql", "One statement that no other operation covers. What it does is judged like everything else; what is "
     "not known of it counts as H3.", ("statement",), ("{statement}",)),
)  # fmt: skip


def _free_statement(text: str) -> None:
    node = node_of("{}", text)
    if isinstance(node, (ast.TransactionStmt, ast.CopyStmt, ast.DoStmt, ast.VariableSetStmt)):
        raise Wrong(
            "transactions, COPY, DO and SET are no step: the executor opens and ends transactions, and sets what a "
            "step needs"
        )


def _recompiled(text: str) -> str:
    """The table of a text that is :func:`compiled_again`, as a document names it."""
    table = table_of_code(LITERAL.read(text))
    if table is None:
        raise Wrong("other code than what compiles functions again")
    return RELATION.read(table)


def _whole(tokens: Sequence[Token], _start: int) -> Iterator[int]:
    yield len(tokens)


_KINDS: Mapping[str, Any] = {
    **ALL_KINDS,
    "recompiled": replace(
        RELATION,
        write=lambda text: compiled_again(qname_of(text)).removeprefix("DO "),
        read=_recompiled,
        stretch=LITERAL.stretch,
    ),
    "statement": Scalar(
        "an SQL statement",
        _free_statement,
        lambda text: text,
        lambda text: text,
        _whole,
        {"minLength": 1},
    ),
}


def _words() -> Iterator[Word]:
    for name, meaning, names, texts in _SIMPLE:
        yield Word(name, meaning, texts, names, _KINDS)
    for name, (what, nodes, form) in _DEFINITIONS.items():
        kinds = {**_KINDS, "definition": _definition(what, *nodes)}
        yield Word(name, f"{what[0].upper()}{what[1:]}: {form}", ("{definition}",), ("definition",), kinds)


OPERATIONS: Mapping[str, Word] = {word.name: word for word in _words()}
"""By name."""


def recognised(statement: str) -> Values | None:
    """The operation that ``statement`` is, with its fields; None when only ``run_sql`` could say it."""
    for word in OPERATIONS.values():
        if word.name == "run_sql":
            continue
        values = word.recognise(statement)
        if values is not None:
            return values
    return None
