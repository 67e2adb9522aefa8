"""The kinds beside tables and enums, for whole catalogs in property tests.

``with_objects(catalog, pool, kinds, major)`` adds to a catalog of tables what stands on them and beside them.
Statements are spelled as people write them; what they lean on is said in ``depends_on``, as a compiler would.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from hypothesis import strategies as st

from tests.strategies import Pool, comments, conditions, is_sortable, names
from wesley_tui.catalog import ddl_objects as ddl
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    ForeignKey,
    Grant,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    Ref,
    SchemaDetails,
    SqlObject,
    Table,
)
from wesley_tui.catalog.naming import default_name, multirange_name, qualified, quote_ident, quote_literal

__all__ = ["KINDS", "with_objects"]

KINDS = (
    *("sequence", "domain", "composite type", "range type", "inheritance", "partition", "column settings", "unlogged"),
    *("since 18", "function", "procedure", "aggregate", "view", "materialized view", "trigger", "rule", "statistics"),
    *("publication", "event trigger", "default privileges", "grants"),
)
"""In the order in which they are added: tables are finished before anything stands on them."""
_ROLES = ("public", "pg_monitor", "pg_read_all_stats")
_BODIES = (
    "\nBEGIN\n  RETURN NULL;\nEND\n",
    "BEGIN /* it's $$ a 'body' */ RETURN NULL; END",
    "\nDECLARE\n\tx text := '🙂 \\ %s';\nBEGIN\n\n  RETURN NULL; -- the end\nEND",
)


class _Growing:
    """A catalog in the making."""

    def __init__(self, catalog: Catalog, pool: Pool, major: int) -> None:
        self.schemas = sorted(catalog.schemas)
        self.tables = dict(catalog.tables)
        self.enums = dict(catalog.enums)
        self.objects: dict[Ref, SqlObject] = dict(catalog.objects)
        self.details: dict[str, SchemaDetails] = dict(catalog.schema_details)
        self.pool = pool
        self.major = major

    def add(self, item: SqlObject) -> SqlObject:
        self.objects[item.ref] = item
        return item

    def put(self, table: Table) -> None:
        self.tables[table.name] = table

    def of_kind(self, *kinds: str) -> list[SqlObject]:
        return [item for item in self.objects.values() if item.kind in kinds]

    def done(self) -> Catalog:
        return Catalog(
            schemas=frozenset(self.schemas),
            tables=dict(sorted(self.tables.items())),
            enums=self.enums,
            objects=dict(sorted(self.objects.items())),
            schema_details=self.details,
        )


@st.composite
def with_objects(draw: st.DrawFn, catalog: Catalog, pool: Pool, kinds: Collection[str], major: int) -> Catalog:
    """``catalog`` and up to two objects of each of ``kinds``, on its tables and on each other."""
    growing = _Growing(catalog, pool, major)
    for kind in KINDS:
        if kind in kinds:
            for _ in range(draw(st.integers(0, 2))):
                draw(_MAKERS[kind](growing))
    return growing.done()


@st.composite
def _new_name(draw: st.DrawFn, growing: _Growing, space: str = "relation") -> QName:
    schema = draw(st.sampled_from(growing.schemas))
    return QName(schema, growing.pool.claim(f"{space} {schema}", draw(names())))


@st.composite
def _column_of_type(draw: st.DrawFn, growing: _Growing, column_type: str, needed: Ref) -> None:
    """Some table gets a column of this type."""
    tables = [table for table in growing.tables.values() if table.partition_of is None]
    chosen: bool = draw(st.booleans())
    if not tables or not chosen:
        return
    table = draw(st.sampled_from(tables))
    taken = Pool({("column", column.name) for column in table.columns})
    column = Column(taken.claim("column", draw(names())), column_type)
    needs = tuple(sorted({*table.depends_on, needed}))
    growing.put(dataclasses.replace(table, columns=(*table.columns, column), depends_on=needs))


def _table_ref(table: Table) -> Ref:
    return Ref("table", str(table.name))


def _plain_tables(growing: _Growing) -> list[Table]:
    return [
        table
        for table in growing.tables.values()
        if table.partition_of is None and table.partition_by is None and not table.inherits
    ]


@st.composite
def _sequences(draw: st.DrawFn, growing: _Growing) -> None:
    name = draw(_new_name(growing))
    kind = draw(st.sampled_from(("smallint", "integer", "bigint")))
    options = ddl.SequenceOptions(
        type=kind,
        increment=draw(st.sampled_from((1, 5, -1, -3))),
        cache=draw(st.sampled_from((1, 20))),
        cycle=draw(st.booleans()),
        maximum=draw(st.sampled_from((None, 1000))),
        minimum=draw(st.sampled_from((None, -1000))),
        start=draw(st.sampled_from((None, 7, -7))),
    )
    if options.start is not None:
        options = dataclasses.replace(options, minimum=-1000, maximum=1000)
    owner = None
    tables = _plain_tables(growing)
    owned: bool = draw(st.booleans())
    if tables and owned:
        table = draw(st.sampled_from([table for table in tables if table.name.schema == name.schema] or tables))
        taken = Pool({("column", column.name) for column in table.columns})
        column = taken.claim("column", draw(names()))
        default = f"nextval({quote_literal(qualified(name))}::regclass)"
        needs = tuple(sorted({*table.depends_on, Ref("sequence", str(name))}))
        made = Column(column, kind, not_null=True, default=default)
        growing.put(dataclasses.replace(table, columns=(*table.columns, made), depends_on=needs))
        owner = (table.name, column) if table.name.schema == name.schema else None
    statement = ddl.create_sequence(name, options)
    growing.add(SqlObject("sequence", name, (statement,), owned_by=owner, comment=draw(comments())))


@st.composite
def _domains(draw: st.DrawFn, growing: _Growing) -> None:
    name = draw(_new_name(growing))
    base, check, default = draw(
        st.sampled_from(
            (("int", "VALUE > 0", "1"), ("text", "VALUE <> ''", "'x'"), ("varchar(20)", "lower(VALUE) = VALUE", None))
        )
    )
    checked: bool = draw(st.booleans())
    checks = [("over", f"CHECK ({check})")] if checked else []
    text = ddl.create_domain(
        name,
        base,
        default=default if draw(st.booleans()) else None,
        not_null=draw(st.booleans()),
        collation=QName("pg_catalog", "C") if base == "text" and draw(st.booleans()) else None,
        checks=checks,
    )
    parts = (("over", "it's more"),) if checks and len(name.name) % 2 else ()
    item = growing.add(SqlObject("domain", name, (text,), comment=draw(comments()), part_comments=parts))
    draw(_column_of_type(growing, qualified(name), item.ref))


@st.composite
def _composites(draw: st.DrawFn, growing: _Growing) -> None:
    name, local = draw(_new_name(growing)), Pool()
    types = ["int", "text", "numeric(10,2)", "timestamptz[]", *(qualified(enum) for enum in growing.enums)]
    attributes = [
        ddl.Attribute(local.claim("column", draw(names())), draw(st.sampled_from(types)))
        for _ in range(draw(st.integers(0, 3)))
    ]
    needs = sorted(
        {Ref("enum", str(enum)) for enum in growing.enums for item in attributes if item.type == qualified(enum)}
    )
    commented: bool = draw(st.booleans())
    item = SqlObject(
        "composite type",
        name,
        (ddl.create_composite_type(name, attributes),),
        comment=draw(comments()),
        columns=tuple(item.name for item in attributes),
        part_comments=((attributes[0].name, "first"),) if attributes and commented else (),
        depends_on=tuple(needs),
    )
    growing.add(item)
    draw(_column_of_type(growing, qualified(name) + draw(st.sampled_from(("", "[]"))), item.ref))


@st.composite
def _ranges(draw: st.DrawFn, growing: _Growing) -> None:
    name = draw(_new_name(growing))
    space = f"relation {name.schema}"
    if growing.pool.claim(space, multirange_name(name.name)) != multirange_name(name.name):
        return
    subtype, options = draw(
        st.sampled_from((("time", {}), ("float8", {"subtype_diff": "float8mi"}), ("text", {"collation": '"C"'})))
    )
    item = SqlObject("range type", name, (ddl.create_range_type(name, subtype, options),), comment=draw(comments()))
    growing.add(item)
    draw(_column_of_type(growing, qualified(name), item.ref))


@st.composite
def _functions(draw: st.DrawFn, growing: _Growing) -> None:
    name = draw(_new_name(growing, "function"))
    head = f"CREATE FUNCTION {qualified(name)}"
    tables = [table for table in growing.tables.values() if table.columns]
    shapes = ["plpgsql", "sql", "return", "many"] + (["atomic", "row"] if tables else [])
    needs: tuple[Ref, ...] = ()
    arguments = ""
    match draw(st.sampled_from(shapes)):
        case "plpgsql":
            text = f"{head}() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS {_quoted(draw)}"
        case "sql":
            arguments = "integer, text"
            text = (
                f"{head}(a int, b text DEFAULT 'it''s') RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT"
                " COST 5 ROWS 10 AS 'SELECT b || a FROM generate_series(1, a) g'"
            )
        case "return":
            arguments = "bigint"
            text = f"{head}(a bigint = 1) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN a + 1"
        case "many":
            arguments = "integer, integer[]"
            text = (
                f"{head}(INOUT a int, OUT \"b c\" text, VARIADIC d int[] DEFAULT '{{}}') LANGUAGE plpgsql STABLE"
                f" AS {_quoted(draw)}"
            )
        case shape:
            table = draw(st.sampled_from(tables))
            needs = (_table_ref(table),)
            if shape == "atomic":
                column = quote_ident(table.columns[0].name)
                text = (
                    f"{head}() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(t.{column})"
                    f" FROM {qualified(table.name)} t; END"
                )
            else:
                arguments = qualified(table.name)
                text = f"{head}(r {qualified(table.name)}) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true'"
    growing.add(SqlObject("function", name, (text,), arguments=arguments, comment=draw(comments()), depends_on=needs))


def _quoted(draw: st.DrawFn) -> str:
    return f"$body${draw(st.sampled_from(_BODIES))}$body$"


@st.composite
def _procedures(draw: st.DrawFn, growing: _Growing) -> None:
    name = draw(_new_name(growing, "function"))
    text = f"CREATE PROCEDURE {qualified(name)}(a int, INOUT b text DEFAULT NULL) LANGUAGE plpgsql AS {_quoted(draw)}"
    growing.add(SqlObject("procedure", name, (text,), arguments="integer, text", comment=draw(comments())))


@st.composite
def _aggregates(draw: st.DrawFn, growing: _Growing) -> None:
    name = draw(_new_name(growing, "function"))
    arguments, parameters = draw(
        st.sampled_from(
            (
                ("integer", {"stype": "int", "sfunc": "int4pl", "initcond": "'0'", "parallel": "safe"}),
                ("*", {"sfunc": "int8inc", "stype": "bigint", "initcond": "'0'"}),
            )
        )
    )
    text = ddl.create_aggregate(name, ddl.Aggregate(arguments, parameters))
    growing.add(SqlObject("aggregate", name, (text,), arguments=arguments, comment=draw(comments())))


@st.composite
def _queries(draw: st.DrawFn, growing: _Growing) -> tuple[str, tuple[str, ...], tuple[Ref, ...], list[Column]] | None:
    """(a query over one relation, its output columns, what it needs, the columns behind the first of them)"""
    tables = [table for table in growing.tables.values() if table.columns]
    views = growing.of_kind("view")
    if views and draw(st.integers(0, 2)) == 0:
        view = draw(st.sampled_from(views))
        shown = ", ".join(f"v.{quote_ident(column)}" for column in view.columns)
        return f"SELECT {shown} FROM {qualified(view.name)} v", view.columns, (view.ref,), []
    if not tables:
        return None
    table = draw(st.sampled_from(tables))
    chosen = draw(st.lists(st.sampled_from(table.columns), min_size=1, max_size=3, unique_by=lambda item: item.name))
    texts = []
    output = Pool()
    aliases = []
    for column in chosen:
        alias = output.claim("column", draw(st.sampled_from((column.name, draw(names())))))
        aliases.append(alias)
        texts.append(quote_ident(column.name) + (f" AS {quote_ident(alias)}" if alias != column.name else ""))
    condition = draw(conditions(table.columns))
    where = f" WHERE {condition}" if condition and draw(st.booleans()) else ""
    query = f"SELECT {', '.join(texts)} FROM {qualified(table.name)}{where}"
    return query, tuple(aliases), (_table_ref(table),), list(chosen)


@st.composite
def _views(draw: st.DrawFn, growing: _Growing) -> None:
    query = draw(_queries(growing))
    if query is None:
        return
    name = draw(_new_name(growing))
    options = [("security_barrier", "true")] if draw(st.booleans()) else []
    if draw(st.booleans()):
        options.append(("security_invoker", "true"))
    text = ddl.create_view(name, query[0], options)
    if "WHERE" in query[0] and draw(st.booleans()):
        text += " WITH LOCAL CHECK OPTION"
    parts = ((query[1][0], "it's the first"),) if draw(st.booleans()) else ()
    growing.add(
        SqlObject(
            "view", name, (text,), comment=draw(comments()), columns=query[1], part_comments=parts, depends_on=query[2]
        )
    )


@st.composite
def _materialized_views(draw: st.DrawFn, growing: _Growing) -> None:
    query = draw(_queries(growing))
    if query is None:
        return
    name = draw(_new_name(growing))
    text = ddl.create_materialized_view(
        name, query[0], (("fillfactor", "70"),) if draw(st.booleans()) else (), populated=draw(st.booleans())
    )
    indexes = []
    if query[3] and is_sortable(query[3][0]) and draw(st.booleans()):
        index = growing.pool.claim(f"relation {name.schema}", draw(names()))
        indexes.append(Index(index, (IndexKey(query[1][0], descending=draw(st.booleans())),), comment=draw(comments())))
    growing.add(
        SqlObject(
            "materialized view",
            name,
            (text,),
            comment=draw(comments()),
            columns=query[1],
            indexes=tuple(indexes),
            depends_on=query[2],
        )
    )


@st.composite
def _triggers(draw: st.DrawFn, growing: _Growing) -> None:
    tables = [table for table in growing.tables.values() if table.columns and table.partition_by is None]
    if not tables:
        return
    function = draw(_new_name(growing, "function"))
    text = f"CREATE FUNCTION {qualified(function)}() RETURNS trigger LANGUAGE plpgsql AS {_quoted(draw)}"
    made = growing.add(SqlObject("function", function, (text,), arguments=""))
    table = draw(st.sampled_from(tables))
    # A constraint trigger is a constraint too, and its name must be free among those.
    name = growing.pool.claim(f"relation {table.name.schema}", draw(names()))
    column = next((item for item in table.columns if item.generated is None), None)
    if column is None:
        return
    shown = quote_ident(column.name)
    where = f"ON {qualified(table.name)}"
    end = f"EXECUTE FUNCTION {qualified(function)}('a', 'it''s')"
    kind = draw(st.sampled_from(("row", "statement", "constraint", "when")))
    match kind:
        case "row":
            body = f"TRIGGER {quote_ident(name)} BEFORE INSERT OR UPDATE OF {shown} {where} FOR EACH ROW {end}"
        case "statement":
            body = f"TRIGGER {quote_ident(name)} AFTER UPDATE {where} REFERENCING OLD TABLE AS o NEW TABLE AS n {end}"
        case "constraint":
            body = (
                f"CONSTRAINT TRIGGER {quote_ident(name)} AFTER INSERT {where} DEFERRABLE INITIALLY DEFERRED"
                f" FOR EACH ROW {end}"
            )
        case _:
            body = f"TRIGGER {quote_ident(name)} AFTER UPDATE {where} FOR ROW WHEN (NEW.{shown} IS NOT NULL) {end}"
    statements = [f"CREATE {body}"]
    state = draw(st.sampled_from((None, None, "DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA")))
    if state is not None:
        statements.append(f"ALTER TABLE {qualified(table.name)} {state} TRIGGER {quote_ident(name)}")
    growing.add(
        SqlObject(
            "trigger",
            QName(table.name.schema, name),
            tuple(statements),
            relation=table.name,
            comment=draw(comments()),
            depends_on=tuple(sorted((made.ref, _table_ref(table)))),
        )
    )


@st.composite
def _rules(draw: st.DrawFn, growing: _Growing) -> None:
    tables = _plain_tables(growing)
    if not tables:
        return
    table = draw(st.sampled_from(tables))
    name = growing.pool.claim(f"rule {table.name}", draw(names()))
    text = f"CREATE RULE {quote_ident(name)} AS ON DELETE TO {qualified(table.name)} DO INSTEAD NOTHING"
    statements = [text]
    if draw(st.booleans()):
        statements.append(f"ALTER TABLE {qualified(table.name)} DISABLE RULE {quote_ident(name)}")
    growing.add(
        SqlObject(
            "rule",
            QName(table.name.schema, name),
            tuple(statements),
            relation=table.name,
            comment=draw(comments()),
            depends_on=(_table_ref(table),),
        )
    )


@st.composite
def _statistics(draw: st.DrawFn, growing: _Growing) -> None:
    tables = [
        (table, columns)
        for table in _plain_tables(growing)
        if len(columns := [item for item in table.columns if is_sortable(item)]) >= 2
    ]
    if not tables:
        return
    table, columns = draw(st.sampled_from(tables))
    name = draw(_new_name(growing, "statistics"))
    kinds = draw(st.sampled_from(("", " (ndistinct)", " (mcv, dependencies)")))
    shown = ", ".join(quote_ident(column.name) for column in columns[:2])
    statements = [f"CREATE STATISTICS {qualified(name)}{kinds} ON {shown} FROM {qualified(table.name)}"]
    if draw(st.booleans()):
        statements.append(f"ALTER STATISTICS {qualified(name)} SET STATISTICS 500")
    growing.add(
        SqlObject("statistics", name, tuple(statements), comment=draw(comments()), depends_on=(_table_ref(table),))
    )


@st.composite
def _publications(draw: st.DrawFn, growing: _Growing) -> None:
    name = growing.pool.claim("publication", draw(names()))
    parents = {parent for table in growing.tables.values() for parent in table.inherits}
    tables = [table for table in _plain_tables(growing) if not table.unlogged and table.name not in parents]
    chosen = draw(st.lists(st.sampled_from(tables), max_size=2, unique_by=lambda item: item.name)) if tables else []
    publication = ddl.Publication(
        all_tables=not chosen and draw(st.booleans()),
        tables=tuple(ddl.PublishedTable(table.name) for table in chosen),
        operations=draw(st.sampled_from((ddl.Publication().operations, ("insert",), ("delete", "truncate")))),
        via_root=draw(st.booleans()),
    )
    growing.add(
        SqlObject(
            "publication",
            QName("", name),
            (ddl.create_publication(name, publication),),
            comment=draw(comments()),
            depends_on=tuple(sorted(map(_table_ref, chosen))),
        )
    )


@st.composite
def _event_triggers(draw: st.DrawFn, growing: _Growing) -> None:
    function = draw(_new_name(growing, "function"))
    text = f"CREATE FUNCTION {qualified(function)}() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"
    made = growing.add(SqlObject("function", function, (text,), arguments=""))
    name = growing.pool.claim("event trigger", draw(names()))
    tags = draw(st.sampled_from(((), ("CREATE TABLE",), ("DROP TABLE", "ALTER TABLE"))))
    statements = [ddl.create_event_trigger(name, "ddl_command_end", tags, function)]
    if draw(st.booleans()):
        statements.append(f"ALTER EVENT TRIGGER {quote_ident(name)} DISABLE")
    growing.add(
        SqlObject("event trigger", QName("", name), tuple(statements), comment=draw(comments()), depends_on=(made.ref,))
    )


@st.composite
def _default_privileges(draw: st.DrawFn, growing: _Growing) -> None:
    schema = draw(st.sampled_from(growing.schemas))
    role = draw(st.sampled_from(("pg_monitor", "pg_read_all_stats")))
    objects, privileges = draw(
        st.sampled_from((("tables", ["INSERT", "SELECT"]), ("functions", ["EXECUTE"]), ("sequences", ["USAGE"])))
    )
    text = ddl.default_privileges(
        role, schema, objects.upper(), privileges, "pg_database_owner", grantable=draw(st.booleans()), revoke=False
    )
    growing.add(SqlObject("default privileges", QName(schema, f"{objects} of {role}"), (text,)))


@st.composite
def _partitions(draw: st.DrawFn, growing: _Growing) -> None:
    name, local = draw(_new_name(growing)), Pool()
    columns = tuple(
        Column(local.claim("column", draw(names())), kind) for kind in ("integer", "date", "text", "boolean")
    )
    number, date, text = (quote_ident(column.name) for column in columns[:3])
    key, bounds = draw(
        st.sampled_from(
            (
                (f"RANGE ({date})", ("FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')", "DEFAULT")),
                (f"RANGE ({number}, lower({text}))", ("FOR VALUES FROM (1, 'a') TO (5, MAXVALUE)",)),
                (f"LIST ({text})", ("FOR VALUES IN ('x', 'it''s', NULL)", "FOR VALUES IN ('y')", "DEFAULT")),
                (f"HASH ({number})", ("FOR VALUES WITH (MODULUS 2, REMAINDER 1)",)),
            )
        )
    )
    indexes = [Index(growing.pool.claim(f"relation {name.schema}", draw(names())), (IndexKey(columns[3].name),))]
    growing.put(Table(name, columns, indexes=tuple(indexes), partition_by=key, comment=draw(comments())))
    for position, bound in enumerate(bounds):
        part = draw(_new_name(growing))
        below = f"LIST ({text})" if position == 0 and draw(st.booleans()) else None
        check = Check(growing.pool.claim(f"relation {part.schema}", draw(names())), f"{number} > 0")
        growing.put(
            Table(
                part,
                constraints=(check,) if draw(st.booleans()) else (),
                partition_of=name,
                partition_bound=bound,
                partition_by=below,
                comment=draw(comments()),
                options=(("fillfactor", "50"),) if below is None and draw(st.booleans()) else (),
            )
        )
        if below is not None:
            leaf = draw(_new_name(growing))
            growing.put(Table(leaf, partition_of=part, partition_bound="FOR VALUES IN ('z')"))


@st.composite
def _inheritance(draw: st.DrawFn, growing: _Growing) -> None:
    parents = [table for table in _plain_tables(growing) if table.columns and not table.unlogged]
    if not parents:
        return
    parent = draw(st.sampled_from(parents))
    name = draw(_new_name(growing))
    local = Pool({("column", column.name) for column in parent.columns})
    columns = tuple(
        Column(local.claim("column", draw(names())), "text", comment=draw(comments()))
        for _ in range(draw(st.integers(0, 2)))
    )
    growing.put(Table(name, columns, inherits=(parent.name,), depends_on=parent.depends_on))


@st.composite
def _column_settings(draw: st.DrawFn, growing: _Growing) -> None:
    name = draw(_new_name(growing))
    columns = (
        Column("a", "text", storage=draw(st.sampled_from((None, "external", "main", "plain")))),
        Column("b", "jsonb", compression=draw(st.sampled_from((None, "pglz")))),
        Column("c", "integer", statistics=draw(st.sampled_from((None, 0, 500)))),
        Column("d d", "text", options=draw(st.sampled_from(((), (("n_distinct", "5"),))))),
    )
    identity = draw(st.sampled_from((None, "full", "nothing")))
    growing.put(Table(name, columns, replica_identity=identity, comment=draw(comments())))


@st.composite
def _grants(draw: st.DrawFn, growing: _Growing) -> None:
    role = draw(st.sampled_from(_ROLES))
    grantable = role != "public" and draw(st.booleans())
    tables = list(growing.tables.values())
    if tables:
        table = draw(st.sampled_from(tables))
        grants = {*table.grants, Grant(role, "INSERT", grantable)}
        if table.columns:
            grants.add(Grant(role, "UPDATE", column=table.columns[0].name))
        growing.put(dataclasses.replace(table, grants=_sorted(grants)))
    objects = growing.of_kind("function", "view", "sequence", "domain", "composite type", "aggregate", "procedure")
    if objects:
        item = draw(st.sampled_from(objects))
        usual = {"view": "SELECT", "sequence": "USAGE", "domain": "USAGE", "composite type": "USAGE"}
        privilege = usual.get(item.kind, "EXECUTE")
        everybody = item.kind not in ("view", "sequence")
        if role == "public" and everybody:
            made = Grant("public", privilege, revoked=True)
        else:
            made = Grant(role, privilege, grantable)
        growing.objects[item.ref] = dataclasses.replace(item, grants=_sorted({*item.grants, made}))
    schema = draw(st.sampled_from(growing.schemas))
    before = growing.details.get(schema, SchemaDetails())
    grants = {*before.grants, Grant("pg_monitor", "CREATE")}
    growing.details[schema] = SchemaDetails("it's a schema", _sorted(grants))


def _sorted(grants: Collection[Grant]) -> tuple[Grant, ...]:
    """One grant for each key, in the order of the catalog."""
    unique = {(item.column, item.grantee, item.privilege): item for item in sorted(grants, key=repr)}
    return tuple(
        sorted(unique.values(), key=lambda item: (item.column or "", item.grantee, item.privilege, item.grantable))
    )


@st.composite
def _unlogged(draw: st.DrawFn, growing: _Growing) -> None:
    growing.put(Table(draw(_new_name(growing)), (Column("a", "integer"),), unlogged=True))


@st.composite
def _since_18(draw: st.DrawFn, growing: _Growing) -> None:
    if growing.major < 18:
        return
    name, other = draw(_new_name(growing)), draw(_new_name(growing))
    key, unenforced, reference = (
        growing.pool.claim(f"relation {schema}", draw(names())) for schema in (name.schema, other.schema, other.schema)
    )
    room = Column("room", "int4range", not_null=True)
    during = Column("during", "tsrange", not_null=True, not_null_name=draw(st.sampled_from((None, "is there"))))
    growing.put(Table(name, (room, during), (PrimaryKey(key, ("room", "during"), without_overlaps=True),)))
    growing.put(
        Table(
            other,
            (Column("room", "int4range"), Column("during", "tsrange")),
            constraints=tuple(
                sorted(
                    (
                        ForeignKey(reference, ("room", "during"), name, ("room", "during"), period=True),
                        Check(unenforced, "room IS NOT NULL", enforced=False),
                    ),
                    key=lambda item: item.name,
                )
            ),
        )
    )
    assert default_name(name.name, ("during",), "not_null") != "is there"


_MAKERS = {
    "sequence": _sequences,
    "domain": _domains,
    "composite type": _composites,
    "range type": _ranges,
    "function": _functions,
    "procedure": _procedures,
    "aggregate": _aggregates,
    "view": _views,
    "materialized view": _materialized_views,
    "trigger": _triggers,
    "rule": _rules,
    "statistics": _statistics,
    "publication": _publications,
    "event trigger": _event_triggers,
    "default privileges": _default_privileges,
    "partition": _partitions,
    "inheritance": _inheritance,
    "column settings": _column_settings,
    "grants": _grants,
    "unlogged": _unlogged,
    "since 18": _since_18,
}
