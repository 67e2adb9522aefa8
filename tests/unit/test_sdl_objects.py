"""Objects, views, partitions, privileges and presets: what each directive becomes, and where each mistake is shown."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wesley_tui.catalog.model import Catalog, Grant, Index, IndexKey, QName, Ref, SqlObject
from wesley_tui.sdl.compile import CompiledSchema, Compiler, compile_schema
from wesley_tui.sdl.diagnostics import Diagnostic, SchemaError, Source
from wesley_tui.sdl.directives import DIRECTIVES
from wesley_tui.sdl.emit import emit_schema
from wesley_tui.sdl.strings import block_value, offset_in_source, quoted_value, write_quoted

TABLE = "type A @table { id: Int! @pk } "
PARTED = 'type A @table @partition(by: ["id"]) { id: Int! @pk } '


def compiled(*texts: str) -> CompiledSchema:
    return compile_schema([Source(f"{number}.graphql", text) for number, text in enumerate(texts)])


def object_(catalog: Catalog, kind: str, name: str) -> SqlObject:
    return catalog.objects[Ref(kind, name)]


def problems(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(SchemaError) as caught:
        compiled(text)
    return tuple(item for item in caught.value.diagnostics if item.severity == "error")


def test_a_body_says_name_arguments_and_what_it_leans_on() -> None:
    catalog = compiled(
        '''
        extend schema
          @function(
            sql: """
            CREATE FUNCTION app.f(a int, OUT b text, VARIADIC c mood[] DEFAULT '{}') LANGUAGE sql AS $$
              SELECT name FROM note WHERE g(1) > 0
            $$;
            """
            comment: "of many"
          )
          @function(sql: "CREATE FUNCTION g(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")
          @trigger(
            sql: "CREATE TRIGGER t BEFORE UPDATE OF name ON note FOR EACH ROW EXECUTE FUNCTION touch()"
            then: "ALTER TABLE note DISABLE TRIGGER t"
          )
          @function(sql: "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        ''',
        'enum Mood { A B } type Note @table { id: ID! @pk name: String @default(expr: "g(2)::text") mood: Mood }',
    ).catalog
    function = object_(catalog, "function", "app.f(integer, public.mood[])")
    assert (function.name, function.comment) == (QName("app", "f"), "of many")
    assert function.statements[0].startswith("CREATE FUNCTION app.f(a int")
    assert function.statements[0].endswith("$$")
    assert set(function.depends_on) == {
        Ref("enum", "public.mood"),
        Ref("function", "public.g(integer)"),
        Ref("table", "public.note"),
    }
    trigger = object_(catalog, "trigger", "t ON public.note")
    assert trigger.relation == QName("public", "note")
    assert trigger.statements[1] == "ALTER TABLE note DISABLE TRIGGER t"
    assert Ref("function", "public.touch()") in trigger.depends_on
    assert catalog.tables[QName("public", "note")].depends_on == (
        Ref("enum", "public.mood"),
        Ref("function", "public.g(integer)"),
    )
    assert "app" in catalog.schemas


@pytest.mark.parametrize(
    ("directive", "statement", "kind", "name"),
    [
        ("procedure", "CREATE PROCEDURE p(INOUT a int) LANGUAGE sql AS ''", "procedure", "public.p(integer)"),
        ("aggregate", "CREATE AGGREGATE app.rows(*) (sfunc = int8inc, stype = int8)", "aggregate", "app.rows(*)"),
        ("rule", "CREATE RULE r AS ON DELETE TO a DO INSTEAD NOTHING", "rule", "r ON public.a"),
        ("domain", "CREATE DOMAIN app.d AS text NOT NULL", "domain", "app.d"),
        ("composite", "CREATE TYPE c AS (a int)", "composite type", "public.c"),
        ("range", "CREATE TYPE r AS RANGE (subtype = time)", "range type", "public.r"),
        ("sequence", "CREATE SEQUENCE s", "sequence", "public.s"),
        ("view", "CREATE VIEW v AS SELECT id FROM a", "view", "public.v"),
        ("materializedView", "CREATE MATERIALIZED VIEW v AS SELECT id FROM a", "materialized view", "public.v"),
        ("statistics", "CREATE STATISTICS s ON a, b FROM a", "statistics", "public.s"),
        ("publication", "CREATE PUBLICATION p FOR TABLE a", "publication", "p"),
        ("eventTrigger", "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()", "event trigger", "e"),
        (
            "defaultPrivileges",
            "ALTER DEFAULT PRIVILEGES FOR ROLE me IN SCHEMA app GRANT SELECT ON TABLES TO you",
            "default privileges",
            "app.tables of me",
        ),
    ],
)
def test_every_kind_has_a_directive(directive: str, statement: str, kind: str, name: str) -> None:
    text = f"{TABLE} extend schema @{directive}(sql: {write_quoted(statement)})"
    catalog = compiled(text).catalog
    assert object_(catalog, kind, name).statements == (statement,)
    again = compiled(emit_schema(catalog)).catalog
    assert (again.objects, again.tables) == (catalog.objects, catalog.tables)


def test_parts_instead_of_a_statement() -> None:
    catalog = compiled(
        """
        extend schema
          @namespace(name: "app", comment: "ours")
          @extension(name: "citext", schema: "app", version: "1.6")
          @sequence(name: "s", schema: "app", start: 5, cycle: true, ownedBy: "a.id")
          @domain(name: "email", type: "text", notNull: true, check: "VALUE LIKE '%@%'", default: "'a@b'")
          @sql(name: "x", create: "CREATE COLLATION x FROM \\"C\\"", drop: "DROP COLLATION x", dependsOn: ["a"])
        type A @table { id: Int! @pk mail: String @type(name: "email") word: String @type(name: "citext") }
        """
    ).catalog
    assert object_(catalog, "extension", "citext").statements == (
        'CREATE EXTENSION citext WITH SCHEMA app VERSION "1.6"',
    )
    sequence = object_(catalog, "sequence", "app.s")
    assert sequence.statements == ("CREATE SEQUENCE app.s START WITH 5 CYCLE",)
    assert sequence.owned_by == (QName("public", "a"), "id")
    assert object_(catalog, "domain", "public.email").statements == (
        "CREATE DOMAIN public.email AS text DEFAULT 'a@b' NOT NULL CHECK (VALUE LIKE '%@%')",
    )
    other = object_(catalog, "other", "x")
    assert (other.drop, other.depends_on) == ("DROP COLLATION x", (Ref("table", "public.a"),))
    assert catalog.schema_details["app"].comment == "ours"
    assert [column.type for column in catalog.tables[QName("public", "a")].columns] == [
        "integer",
        "public.email",
        "app.citext",
    ]


def test_views_are_types() -> None:
    catalog = compiled(
        """
        type A @table { id: Int! @pk name: String }
        "Who is there"
        type Active @view(query: "SELECT id, name FROM a;", securityInvoker: true, checkOption: LOCAL)
          @grant(to: ["reader"], privileges: ["SELECT"], columns: ["theName"]) {
          id: Int
          "How they are called"
          theName: String @column(name: "Name")
        }
        type Count @materializedView(query: "SELECT name, count(*) AS n FROM active GROUP BY name", withData: false)
          @index(fields: ["name"], unique: true) { name: String n: BigInt @index }
        type B @table { id: Int! @pk active: Active @belongsTo }
        """
    ).catalog
    view = object_(catalog, "view", "public.active")
    assert view.statements == (
        'CREATE VIEW public.active (id, "Name") WITH (security_invoker=true, check_option=local) AS\n'
        "SELECT id, name FROM a",
    )
    assert (view.comment, view.columns) == ("Who is there", ("id", "Name"))
    assert view.part_comments == (("Name", "How they are called"),)
    assert view.grants == (Grant("reader", "SELECT", column="Name"),)
    assert Ref("column", "public.a.name") in view.depends_on
    count = object_(catalog, "materialized view", "public.count")
    assert count.statements[0].endswith("WITH NO DATA")
    assert count.indexes == (
        Index("count_n_idx", (IndexKey("n"),)),
        Index("count_name_idx", (IndexKey("name"),), unique=True),
    )
    assert count.depends_on == (Ref("view", "public.active"),)
    assert [column.name for column in catalog.tables[QName("public", "b")].columns] == ["id"]


def test_partitions_have_the_columns_of_their_parents() -> None:
    catalog = compiled(
        """
        type Event @table @partition(by: ["at", "lower(kind)"]) { id: Int! at: DateTime! kind: String }
        type First @table @partitionOf(parent: "Event", from: ["2025-01-01", MINVALUE], to: ["2026-01-01", "x"])
          @partition(by: ["kind"], strategy: LIST) @index(fields: ["createdAt"])
        type Inner @table @partitionOf(parent: "First", in: ["a", null, "it's"])
        type Rest @table @partitionOf(parent: "event", default: true) { id: Int }
        type Hashed @table @partition(by: ["id"], strategy: HASH) { id: Int! }
        type H0 @table @partitionOf(parent: "Hashed", modulus: 2, remainder: 0)
        type Base @table @inherits(from: ["Event2"]) { extra: Int }
        type Event2 @table { id: Int! }
        """
    ).catalog
    tables = {str(name): table for name, table in catalog.tables.items()}
    assert tables["public.event"].partition_by == "RANGE (at, lower(kind))"
    first = tables["public.first"]
    assert (first.columns, first.partition_of, first.partition_by) == ((), QName("public", "event"), "LIST (kind)")
    assert first.partition_bound == "FOR VALUES FROM ('2025-01-01', MINVALUE) TO ('2026-01-01', 'x')"
    assert first.indexes[0].keys == (IndexKey("created_at"),)
    assert tables["public.inner"].partition_bound == "FOR VALUES IN ('a', NULL, 'it''s')"
    assert (tables["public.rest"].partition_bound, tables["public.rest"].columns) == ("DEFAULT", ())
    assert tables["public.h0"].partition_bound == "FOR VALUES WITH (modulus 2, remainder 0)"
    assert tables["public.base"].inherits == (QName("public", "event2"),)
    again = compiled(emit_schema(catalog)).catalog
    assert again.tables == catalog.tables


def test_what_is_said_elsewhere_finds_its_object() -> None:
    catalog = compiled(
        """
        type A @table(schema: "app") @rls { id: Int! @pk @index name: String @check(expr: "name <> ''") }
        enum E @revoke(from: ["public"], privileges: ["USAGE"]) { X }
        """,
        """
        extend schema
          @function(sql: "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'")
          @view(sql: "CREATE VIEW v AS SELECT 1 AS one")
          @materializedView(sql: "CREATE MATERIALIZED VIEW m AS SELECT 1 AS one")
          @grant(on: "function f(integer)", to: ["b", "a"], privileges: ["ALL"], grantable: true)
          @revoke(on: "function f(int)", from: ["public"], privileges: ["EXECUTE"])
          @grant(sql: "GRANT SELECT (id, name), DELETE ON app.a, v TO a")
          @grant(on: "schema app", to: ["a"], privileges: ["USAGE"])
          @comment(on: "constraint a_name_check ON app.a", text: "never empty")
          @comment(on: "index app.a_id_idx", text: "twice")
          @comment(on: "column v.one", text: "1")
          @comment(on: "type e", text: "letters")
          @comment(on: "schema app", text: "ours")
          @policy(table: "A", name: "p", using: "id > 0")
          @index(on: "m", fields: ["one"])
          @drop(on: "function gone(int)")
        """,
    )
    a = catalog.catalog.tables[QName("app", "a")]
    assert {item.name: item.comment for item in a.constraints}["a_name_check"] == "never empty"
    assert a.indexes[0].comment == "twice"
    assert [policy.name for policy in a.policies] == ["p"]
    assert a.grants == (
        Grant("a", "DELETE"),
        Grant("a", "SELECT", column="id"),
        Grant("a", "SELECT", column="name"),
    )
    function = object_(catalog.catalog, "function", "public.f(integer)")
    assert function.grants == (
        Grant("a", "EXECUTE", True),
        Grant("b", "EXECUTE", True),
        Grant("public", "EXECUTE", revoked=True),
    )
    assert object_(catalog.catalog, "view", "public.v").part_comments == (("one", "1"),)
    assert object_(catalog.catalog, "materialized view", "public.m").indexes[0].name == "m_one_idx"
    enum = catalog.catalog.enums[QName("public", "e")]
    assert (enum.comment, enum.grants) == ("letters", (Grant("public", "USAGE", revoked=True),))
    assert catalog.catalog.schema_details["app"].grants == (Grant("a", "USAGE"),)
    assert catalog.intent.dropped_objects == {Ref("function", "public.gone(integer)")}
    again = compiled(emit_schema(catalog.catalog)).catalog
    assert again == catalog.catalog


def test_old_names_by_their_graphql_spelling() -> None:
    schema = compiled(
        r"""
        type Account @table @renamed(from: "UserAccount") {
          id: Int! @pk @uid(value: "account-id")
          email: String @renamed(from: "mailAddress")
          odd: String @renamed(from: "\"OddName\"")
          plain: String @renamed(from: "old_plain")
        }
        """
    )
    account = QName("public", "account")
    assert schema.intent.renamed_tables == {account: QName("public", "user_account")}
    assert schema.intent.renamed_columns == {
        (account, "email"): "mail_address",
        (account, "odd"): "OddName",
        (account, "plain"): "old_plain",
    }
    assert [item.code for item in schema.warnings] == ["renamed-spelling", "renamed-spelling"]
    assert schema.intent.uids == {"account-id": "column public.account.id"}


def test_what_is_for_the_api_is_noted() -> None:
    schema = compiled(TABLE + "interface I { a: Int } interface K { a: Int } input J { a: Int } union U = A")
    assert [item.code for item in schema.warnings] == ["not-for-the-database"] * 3


def test_an_edit_of_one_object_keeps_the_others() -> None:
    compiler = Compiler()

    def schema(body: str) -> list[Source]:
        one = f"extend schema @function(sql: {write_quoted(body)})\n"
        rest = 'extend schema @view(sql: "CREATE VIEW v AS SELECT id FROM a")\n'
        return [Source("a.graphql", one + rest + TABLE)]

    first = compiler.compile(schema("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
    second = compiler.compile(schema("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 12345'"))
    name = QName("public", "a")
    assert first.catalog.tables[name] is second.catalog.tables[name]
    assert "12345" in object_(second.catalog, "function", "public.f()").statements[0]
    assert object_(second.catalog, "view", "public.v").depends_on


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (
            "extend schema @function(sql: \"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''; SELECT 1\")",
            "wrong-sql",
            (1, 83),
        ),
        ("extend schema @function(sql: \"CREATE PROCEDURE f() LANGUAGE sql AS ''\")", "wrong-statement", (1, 30)),
        (
            'extend schema @function(\n  sql: """\n    CREATE FUNCTION f() RETURNS int\n      LANGUAG sql\n    """)',
            "wrong-sql",
            (4, 7),
        ),
        ('extend schema @function(sql: "CREATE FUNCTION \\"f\\"() RETURN 1 x")', "wrong-sql", (1, 64)),
        ('extend schema @function(sql: "CREATE FUNCTION f() RETURNS int LANGUAGE sql")', "wrong-sql", (1, 31)),
        ('extend schema @function(sql: "SELECT 1")', "wrong-sql", (1, 31)),
        ('extend schema @sequence(name: "")', "empty-name", (1, 31)),
        ('extend schema @sequence(name: "s", sql: "CREATE SEQUENCE s")', "wrong-argument", (1, 15)),
        ('extend schema @statistics(sql: "CREATE STATISTICS ON a, b FROM t")', "wrong-sql", (1, 33)),
        ('extend schema @view(query: "SELECT 1")', "missing-argument", (1, 15)),
        ("type V @view { a: Int }", "missing-argument", (1, 8)),
        ('type V @view(query: "SELEC 1") { a: Int }', "wrong-sql", (1, 22)),
        ('type V @view(query: "SELECT 1 AS x, 2 AS y") { a: Int }', "view-columns", (1, 21)),
        ('type V @view(query: "SELECT 1 AS a") @pk(fields: ["a"]) { a: Int }', "directive-on-view", (1, 38)),
        (TABLE + 'type V @view(query: "SELECT 1 AS a", name: "a") { a: Int }', "duplicate-name", (1, 39)),
        (TABLE + 'type P @table @partitionOf(parent: "Nix", default: true)', "unknown-type", (1, 67)),
        (TABLE + 'type P @table @partitionOf(parent: "A", default: true)', "wrong-parent", (1, 46)),
        (PARTED + 'type P @table @partitionOf(parent: "A", in: [1])', "wrong-bound", (1, 69)),
        (PARTED + 'type P @table @partitionOf(parent: "A")', "wrong-bound", (1, 69)),
        (PARTED + 'type P @table @partitionOf(parent: "A", from: {a: 1}, to: 2)', "wrong-bound", (1, 101)),
        (PARTED + 'type P @table @partitionOf(parent: "A", default: true) { nix: Int }', "unknown-column", (1, 112)),
        ('type A @table @partition(by: ["nix"]) { id: Int! @pk }', "unknown-column", (1, 32)),
        ('type A @table @inherits(from: ["A"]) { id: Int }', "circular-parent", (1, 15)),
        ('type A @table @partition(by: ["n"]) { id: Int! @pk n: Int }', "partition-key", (1, 15)),
        (TABLE + '@grant(on: "a", to: ["b"], privileges: ["SELECT"])', "syntax-error", (1, 32)),
        (TABLE + 'extend schema @grant(on: "nix", to: ["b"], privileges: ["SELECT"])', "unknown-object", (1, 57)),
        (TABLE + 'extend schema @comment(on: "constraint nix ON a", text: "x")', "unknown-object", (1, 59)),
        (TABLE + 'extend schema @comment(on: "gibberish of a", text: "x")', "wrong-address", (1, 60)),
        ('type A @table @grant(to: ["a"], privileges: ["SELET"]) { id: Int! @pk }', "wrong-privilege", (1, 45)),
        ('type A @table @owner(column: "nix") { id: Int! @pk }', "unknown-column", (1, 30)),
        ('type A @table @rls(preset: "ownr") { id: Int! @pk }', "unknown-preset", (1, 28)),
        (
            'type A @table @rls(preset: "owner", options: {column: "id", x: 1}) { id: Int! @pk }',
            "unknown-option",
            (1, 64),
        ),
        ('type A @table @tenant(by: "id", membership: "A") { id: Int! @pk }', "circular-policy", (1, 15)),
        ('type A @table { id: Int! @pk t: Int @computed(from: "Nix", expr: "count(*)") }', "unknown-type", (1, 53)),
        ('type A @table { id: Int! @pk t: Int @computed(from: "A", expr: "count(*)") }', "wrong-reference", (1, 53)),
        ('type A @table { id: Int! @pk t: String @storage(type: "x") }', "wrong-argument", (1, 55)),
        ('type A @table { id: Int! @pk @uid(value: "1") b: Int @uid(value: "1") }', "duplicate-uid", (1, 47)),
        ('extend schema @drop(on: "table f")', "wrong-argument", (1, 25)),
    ],
)
def test_mistakes(text: str, code: str, place: tuple[int, int]) -> None:
    (found,) = problems(text)
    assert (found.code, (found.line, found.column)) == (code, place), str(found)


def test_a_circle_of_partitions() -> None:
    found = problems(
        'type A @table @partition(by: ["id"]) @partitionOf(parent: "B", default: true)\n'
        'type B @table @partition(by: ["id"]) @partitionOf(parent: "A", default: true)'
    )
    assert [(item.code, item.line) for item in found] == [("circular-parent", 1), ("circular-parent", 2)]


_PIECES = (
    (
        "type A @table { id: Int! @pk name: String }",
        'type A @table @tenant(by: "id") { id: Int! @pk name: String }',
        'type A @table @rls(preset: "owner", options: {column: "id"}) { id: Int! @pk name: String more: Int }',
        "type A @table { id: Int! @pk name: Mood }",
    ),
    (
        "type B @table { id: Int! @pk a: A @fk }",
        'type B @table { id: Int! @pk a: A @fk n: Int @computed(from: "B.a", expr: "count(*)") }',
        'type B @table(name: "bees") { id: Int! @pk }',
    ),
    (
        "enum Mood { X }",
        "enum Mood { X Y }",
        'extend schema @domain(name: "mood", type: "text") scalar Mood @type(name: "mood")',
    ),
    (
        'extend schema @view(sql: "CREATE VIEW v AS SELECT id, name FROM a")',
        'extend schema @view(sql: "CREATE VIEW v AS SELECT * FROM a") @grant(on: "v", to: "x", privileges: "ALL")',
        'type V @view(query: "SELECT id FROM a") { id: Int }',
        "",
    ),
    (
        "extend schema @function(sql: \"CREATE FUNCTION f(mood) RETURNS int LANGUAGE sql AS 'SELECT 1'\")",
        "extend schema @function(sql: \"CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT id FROM v'\")",
        'extend schema @grant(on: "a", to: ["y"], privileges: ["SELECT"])',
        'extend schema @grant(on: "a", to: ["z"], privileges: ["ALL"]) @comment(on: "a", text: "first")',
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*(st.sampled_from(pieces) for pieces in _PIECES)), min_size=2, max_size=6))
def test_compiling_again_is_compiling(versions: list[tuple[str, ...]]) -> None:
    compiler = Compiler()

    def outcome(one: Compiler, pieces: tuple[str, ...]) -> object:
        try:
            schema = one.compile([Source("a.graphql", "\n".join(pieces))])
        except SchemaError as error:
            return error.diagnostics
        needs = {ref: item.depends_on for ref, item in schema.catalog.objects.items()}
        tables = {name: table.depends_on for name, table in schema.catalog.tables.items()}
        return schema.catalog, schema.intent, schema.warnings, needs, tables, dict(schema.locations)

    for pieces in versions:
        assert outcome(compiler, pieces) == outcome(Compiler(), pieces)


def test_long_sums_and_unions() -> None:
    many = "+".join(["id"] * 2_000)
    union = " UNION ALL ".join(["SELECT 1 AS one"] * 1_000)
    catalog = compiled(
        f'type A @table {{ id: Int! @pk @check(expr: "{many} > 0") }}',
        f'extend schema @view(sql: "CREATE VIEW v AS {union}")',
    ).catalog
    assert object_(catalog, "view", "public.v").columns == ("one",)
    (found,) = problems(f'extend schema @view(sql: "CREATE VIEW v AS {" UNION ALL ".join(["SELECT 1"] * 20_000)}")')
    assert found.code == "wrong-sql"


@given(st.text(st.sampled_from('ab "\\\n\r\t'), max_size=40))
def test_every_character_of_a_block_string_is_found_in_the_source(text: str) -> None:
    written = '"""' + text.replace('"""', "").rstrip('"\\') + '"""'
    value = block_value(written[3:-3])
    for offset, character in enumerate(value):
        if character != "\n":
            assert written[offset_in_source(written, offset)] == character


@given(st.text(st.sampled_from('ab"\\é\t\n'), max_size=20))
def test_every_character_of_a_quoted_string_is_found_in_the_source(text: str) -> None:
    written = write_quoted(text)
    for offset, character in enumerate(text):
        assert quoted_value(written[1 : offset_in_source(written, offset)]) == text[:offset]
        assert character == text[offset]


_STATEMENTS = (
    "CREATE FUNCTION f(a int, b nix, c t.a%TYPE, OUT d x[]) RETURNS TABLE (a int) LANGUAGE sql AS 'SELECT f(1)'",
    "CREATE VIEW v AS SELECT * FROM t",
    "CREATE VIEW v AS VALUES (1)",
    "CREATE MATERIALIZED VIEW mv AS SELECT a FROM t WITH NO DATA",
    "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE SEQUENCE s OWNED BY t.a START 5",
    "CREATE AGGREGATE a (basetype = int, sfunc = f, stype = int)",
    'CREATE AGGREGATE a(VARIADIC "any" ORDER BY VARIADIC "any") (sfunc = f, stype = int)',
    "GRANT ALL ON LARGE OBJECT 1 TO r",
    "GRANT ALL ON t TO r",
    *("CREATE TYPE x", "SELECT 1; SELECT 2", "", "'", "--", "DO ''", "CREATE STATISTICS ON a, b FROM t"),
)
_NAMES = (
    *("a", "id", "T", "U", "t.a", "", 'x"y', "a.b.c", "🙂", "é" * 40, "owner", "tenant", "full", "function f(int)"),
    *("constraint t_pkey ON t", "aggregate a(*)", "materialized view mv", "large object 5", "schema app", "type e"),
)
_LITERALS = ("1", "-1", "1.5", "true", "null", "MINVALUE", "[]", "{}", '{column: "a"}', '["a"]', "[[1]]", "[null]")


def _argument(chance: random.Random, name: str) -> str:
    if name in ("sql", "create", "query", "then") and chance.random() < 0.8:
        return write_quoted(chance.choice(_STATEMENTS))
    if chance.random() < 0.3:
        return chance.choice(_LITERALS)
    return write_quoted(chance.choice((*_NAMES, *_STATEMENTS)))


def _use(chance: random.Random, location: str) -> str:
    directive = chance.choice([item for item in DIRECTIVES if location in item.locations])
    arguments = [item for item in directive.arguments if item.required or chance.random() < 0.3]
    inside = " ".join(f"{item.name}: {_argument(chance, item.name)}" for item in arguments)
    return f"@{directive.name}({inside})" if inside else f"@{directive.name}"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_nonsense_is_an_error_or_a_schema(chance: random.Random) -> None:
    text = (
        f"extend schema {_use(chance, 'SCHEMA')}\n"
        f"type T @table {_use(chance, 'OBJECT') if chance.random() < 0.5 else ''} {{\n"
        f"  id: ID! @pk\n"
        f"  a: Int {_use(chance, 'FIELD_DEFINITION') if chance.random() < 0.5 else ''}\n"
        f"}}\n"
        f"type U @table {{ id: Int! @pk t: T @fk }}\n"
        f"enum E {{ A }}\n"
    )
    try:
        catalog = compiled(text).catalog
    except SchemaError:
        return
    pulled = emit_schema(catalog)
    if "# In the database" not in pulled:
        assert compiled(pulled).catalog == catalog
