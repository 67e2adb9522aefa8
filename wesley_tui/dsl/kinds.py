"""What stands in the fields of an operation: names, types, expressions, lists of them; each checked on its own.

A text that is SQL (a type, an expression, a query) is parsed alone with PostgreSQL's grammar and must be exactly that:
nothing that is written into a field can reach beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError

from wesley_tui.catalog import ddl
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.dsl.spelling import name_problem, parts_of, qname_of, spelled_parts
from wesley_tui.dsl.template import Fields, Wrong
from wesley_tui.dsl.tokens import Token, balanced_ends, is_word, split_at_commas, tokens_of, unquoted

__all__ = [
    *("KINDS", "LITERAL", "RELATION", "Integers", "Many", "Options", "Scalar", "Words"),
    *("is_a", "node_of", "text_of"),
]


def is_a(node: Any, *kinds: type[Any]) -> bool:
    """``isinstance`` for nodes of a tree, whose fields no checker knows to be there."""
    return isinstance(node, kinds)


_NAME_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 63}


def text_of(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise Wrong(f"{what} is expected here, as a text, not {_shown(value)}")
    if "\x00" in value:
        raise Wrong("PostgreSQL has no NUL character in texts: take it out", offset=value.index("\x00"))
    return value


def _shown(value: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value)) or repr(value)[:40]


@dataclass(frozen=True)
class Scalar:
    """A text with a meaning of its own."""

    what: str
    """As it stands in an error: ``a name``."""
    examine: Callable[[str], None]
    """Raises :class:`Wrong` or ``ValueError``."""
    write: Callable[[str], str]
    read: Callable[[str], str]
    stretch: Callable[[Sequence[Token], int], Iterator[int]]
    described: dict[str, Any]
    spread: bool = False

    def fields(self) -> Fields:
        return {}

    def check(self, value: Any) -> None:
        text = text_of(value, self.what)
        try:
            self.examine(text)
        except Wrong:
            raise
        except ValueError as error:
            raise Wrong(str(error)) from None

    def sql(self, value: Any) -> str:
        return self.write(value)

    def parse(self, text: str) -> Any:
        value = self.read(text)
        self.examine(value)
        return value

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        return self.stretch(tokens, start)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", **self.described}


def _words(count: Sequence[int]) -> Callable[[Sequence[Token], int], Iterator[int]]:
    """Stretches of a dotted name with so many parts."""

    def ends(tokens: Sequence[Token], start: int) -> Iterator[int]:
        for parts in count:
            stretch = tokens[start : start + 2 * parts - 1]
            dots = all(token.text == "." for token in stretch[1::2])
            if len(stretch) == 2 * parts - 1 and dots and all(map(is_word, stretch[::2])):
                yield start + len(stretch)

    return ends


def _examine_name(text: str) -> None:
    problem = name_problem(text)
    if problem:
        raise Wrong(problem)


def _one_name(text: str) -> str:
    tokens = tokens_of(text)
    if len(tokens) != 1 or not is_word(tokens[0]):
        raise ValueError(f"{text!r} is no name")
    return unquoted(tokens[0])


def _dotted(text: str) -> str:
    tokens = tokens_of(text)
    if len(tokens) % 2 != 1 or not all(map(is_word, tokens[::2])) or any(token.text != "." for token in tokens[1::2]):
        raise ValueError(f"{text!r} is no name")
    return spelled_parts([unquoted(token) for token in tokens[::2]])


def _relation(text: str) -> str:
    if len(parts_of(_dotted(text))) != 2:
        raise ValueError("the name has no schema")
    return _dotted(text)


def _examine_relation(text: str) -> None:
    qname_of(text)


def _write_parts(text: str) -> str:
    return ".".join(map(quote_ident, parts_of(text)))


def _examine_dotted(text: str) -> None:
    parts_of(text)


def _examine_column_path(text: str) -> None:
    if len(parts_of(text)) != 3:
        raise Wrong(f"schema.table.column is expected here, not {text!r}")


@lru_cache(maxsize=8192)
def node_of(wrapper: str, text: str) -> Any:
    """The node of the one statement that ``wrapper`` and ``text`` make (``{}`` is where the text stands).

    Raises :class:`Wrong` with the offset into ``text``.
    """
    before = wrapper.index("{}")
    try:
        parsed = parse_sql(wrapper.replace("{}", text))
    except ParseError as error:
        at = error.args[1] - before if len(error.args) > 1 and isinstance(error.args[1], int) else 0
        raise Wrong(str(error.args[0]), offset=max(0, min(at, len(text)))) from None
    except (RecursionError, UnicodeError, ValueError) as error:
        raise Wrong(f"this cannot be read: {error}") from None
    if len(parsed) != 1:
        raise Wrong("one thing is expected here, this is several statements")
    return parsed[0].stmt


_PLAIN_SELECT = ("targetList", "groupDistinct", "limitOption", "op", "all")


def _only_target(text: str, wrapper: str) -> Any:
    """The value of a SELECT that has nothing but it: no FROM, no second column, no name."""
    node = node_of(wrapper, text)
    fine = is_a(node, ast.SelectStmt) and node.targetList is not None and len(node.targetList) == 1
    if fine:
        clauses = (node.fromClause, node.whereClause, node.sortClause, node.limitCount, node.withClause, node.larg)
        more = (
            node.groupClause,
            node.havingClause,
            node.intoClause,
            node.lockingClause,
            node.valuesLists,
            node.windowClause,
        )
        fine = not any((*clauses, *more)) and node.targetList[0].name is None
    if not fine:
        raise Wrong("one expression is expected here, and nothing else")
    return node.targetList[0].val


def _examine_expression(text: str) -> None:
    if not text.strip():
        raise Wrong("an expression is expected here, this is empty")
    _only_target(text, "SELECT ({}\n)")


def _examine_type(text: str) -> None:
    node = _only_target(text, "SELECT CAST(NULL AS {}\n)")
    if not is_a(node, ast.TypeCast):
        raise Wrong(f"{text!r} is no type")


def _examine_query(text: str) -> None:
    node = node_of("{}", text)
    if not is_a(node, ast.SelectStmt) or node.intoClause is not None:
        raise Wrong("a SELECT is expected here")


def _examine_bound(text: str) -> None:
    node_of("ALTER TABLE t ATTACH PARTITION p {}", text)
    if text.strip().upper() != "DEFAULT" and not text.strip().upper().startswith("FOR VALUES"):
        raise Wrong("a bound is DEFAULT or FOR VALUES …")


def _examine_partition_key(text: str) -> None:
    node = node_of("CREATE TABLE t () PARTITION BY {}", text)
    if node.partspec is None or any((node.options, node.tablespacename, node.accessMethod)):
        raise Wrong("RANGE (…), LIST (…) or HASH (…) is expected here")


def _examine_dropped(word: str, what: str) -> Callable[[str], None]:
    """Of what DROP names by its arguments."""

    def examine(text: str) -> None:
        node = node_of(f"DROP {word} {{}}", text)
        if not is_a(node, ast.DropStmt) or len(node.objects) != 1 or node.behavior.name != "DROP_RESTRICT":
            raise Wrong(f"one {what} with its arguments is expected here: public.f(integer, text)")

    return examine


def _examine_opclass(text: str) -> None:
    (key,) = node_of("CREATE INDEX ON t (c {})", text).indexParams
    if (
        not key.opclass
        or key.collation
        or key.ordering.name != "SORTBY_DEFAULT"
        or key.nulls_ordering.name != "SORTBY_NULLS_DEFAULT"
    ):
        raise Wrong(f"{text!r} is no operator class")


def _examine_operator(text: str) -> None:
    node_of("SELECT NULL OPERATOR(pg_catalog.{}) NULL", text)


def _anything(_: str) -> None:
    return


_PRIVILEGES = frozenset((
    "select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain", "usage", "create",
    "execute", "connect", "temporary", "set", "alter system", "all",
))  # fmt: skip


def _examine_privilege(text: str) -> None:
    if text not in _PRIVILEGES:
        raise Wrong(f"{text!r} is no privilege: {', '.join(sorted(_PRIVILEGES))}")


def _one_or_two(tokens: Sequence[Token], start: int) -> Iterator[int]:
    yield from range(start + 1, min(start + 3, len(tokens) + 1))


def _literal_value(text: str) -> str:
    """The text that a string constant means: of E'', $$…$$ and '' alike."""
    node = _only_target(text, "SELECT ({}\n)")
    if not is_a(node, ast.A_Const) or not is_a(node.val, ast.String):
        raise Wrong("no string constant")
    return str(node.val.sval)


def _one_token(tokens: Sequence[Token], start: int) -> Iterator[int]:
    if start < len(tokens):
        yield start + 1


def _balanced(tokens: Sequence[Token], start: int) -> Iterator[int]:
    return balanced_ends(tokens, start)


def _to_the_end(tokens: Sequence[Token], start: int) -> Iterator[int]:
    if start < len(tokens):
        yield len(tokens)


def _same(text: str) -> str:
    return text


def _embedded(text: str) -> str:
    """A comment at the end of an expression must not swallow what follows."""
    return f"{text}\n" if "--" in text else text


@dataclass(frozen=True)
class Integers:
    what: str
    least: int
    most: int
    spread: bool = False

    def fields(self) -> Fields:
        return {}

    def check(self, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"{self.what} is expected here, as a number, not {_shown(value)}")
        if not self.least <= value <= self.most:
            raise Wrong(f"{self.what} is from {self.least} to {self.most}, not {value}")

    def sql(self, value: Any) -> str:
        return str(value)

    def parse(self, text: str) -> Any:
        value = int(text.replace(" ", ""))
        self.check(value)
        return value

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        if start < len(tokens):
            yield start + (2 if tokens[start].text == "-" else 1)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Many:
    """A list, written with commas."""

    inner: Any
    least: int = 1
    spread: bool = False

    def fields(self) -> Fields:
        return {}

    def check(self, value: Any) -> None:
        if not isinstance(value, list):
            raise Wrong(f"a list is expected here, not {_shown(value)}")
        if len(value) < self.least:
            raise Wrong("the list is empty")
        for position, item in enumerate(value):
            try:
                self.inner.check(item)
            except Wrong as error:
                raise Wrong(error.message, (position, *error.path), error.offset) from None

    def sql(self, value: Any) -> str:
        return ", ".join(self.inner.sql(item) for item in value)

    def parse(self, text: str) -> Any:
        return [self.inner.parse(part) for part in split_at_commas(text)]

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        return balanced_ends(tokens, start)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.inner.schema(), "minItems": self.least}


@dataclass(frozen=True)
class Words:
    """A list of texts out of a closed set, written as keywords."""

    choices: tuple[str, ...]
    spread: bool = False

    def fields(self) -> Fields:
        return {}

    def check(self, value: Any) -> None:
        if not isinstance(value, list) or not value:
            raise Wrong(f"a list of {', '.join(self.choices)} is expected here")
        for position, item in enumerate(value):
            if item not in self.choices:
                raise Wrong(f"one of {', '.join(self.choices)} is expected here, not {_shown(item)}", (position,))

    def sql(self, value: Any) -> str:
        return ", ".join(item.upper() for item in value)

    def parse(self, text: str) -> Any:
        value = [part.lower() for part in split_at_commas(text)]
        self.check(value)
        return value

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        return balanced_ends(tokens, start)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"enum": list(self.choices)}, "minItems": 1}


@dataclass(frozen=True)
class Options:
    """Storage parameters: an object of texts, ``{"fillfactor": "70"}``."""

    spread: bool = False

    def fields(self) -> Fields:
        return {}

    def check(self, value: Any) -> None:
        if not isinstance(value, dict) or not value:
            raise Wrong('an object of texts is expected here, {"fillfactor": "70"}')
        for name, item in value.items():
            if not all(name_problem(part) == "" for part in name.split(".")):
                raise Wrong(f"{name!r} is no name of an option")
            text_of(item, f"the value of {name}")

    def sql(self, value: Any) -> str:
        return ddl.storage_options(value.items())

    def parse(self, text: str) -> Any:
        found: dict[str, str] = {}
        for part in split_at_commas(text):
            tokens = tokens_of(part)
            equals = next((at for at, token in enumerate(tokens) if token.text == "="), None)
            if equals is None:
                raise ValueError(f"no value in {part}")
            name = ".".join(unquoted(token) for token in tokens[:equals] if token.text != ".")
            written = part[tokens[equals].end :].strip()
            found[name] = _literal_value(written) if written.startswith(("'", "E'")) else written
        return found

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        return balanced_ends(tokens, start)

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}


def _role(text: str) -> str:
    return "PUBLIC" if text == "public" else quote_ident(text)


NAME = Scalar("a name", _examine_name, quote_ident, _one_name, _words([1]), _NAME_SCHEMA)
RELATION = Scalar(
    "a name with its schema, public.users,",
    _examine_relation,
    lambda text: qualified(qname_of(text)),
    _relation,
    _words([2]),
    {"minLength": 1, "examples": ["public.users"]},
)
QUALIFIED = Scalar("a name", _examine_dotted, _write_parts, _dotted, _words([2, 1]), {"minLength": 1})
EXPRESSION = Scalar("an SQL expression", _examine_expression, _embedded, _same, _balanced, {"minLength": 1})
TYPE = Scalar("a type", _examine_type, _same, _same, _balanced, {"minLength": 1, "examples": ["character varying(20)"]})
LITERAL = Scalar("a text", _anything, quote_literal, _literal_value, _one_token, {})
ROLE = Scalar("a role", _examine_name, _role, _one_name, _words([1]), _NAME_SCHEMA)

KINDS: dict[str, Any] = {
    "name": NAME,
    "names": Many(NAME),
    "relation": RELATION,
    "relations": Many(RELATION),
    "qualified": QUALIFIED,
    "column_path": Scalar(
        "schema.table.column", _examine_column_path, _write_parts, _dotted, _words([3]), {"examples": ["public.t.c"]}
    ),
    "type": TYPE,
    "expression": EXPRESSION,
    "default": Scalar("an SQL expression", _examine_expression, ddl.default_clause, _same, _balanced, {"minLength": 1}),
    "query": Scalar("a SELECT", _examine_query, _same, _same, _balanced, {"minLength": 1}),
    "literal": LITERAL,
    "sentence": Scalar("a text", _anything, _same, _same, _one_token, {"minLength": 1}),
    "literals": Many(LITERAL),
    "bound": Scalar("the bound of a partition", _examine_bound, _same, _same, _balanced, {"minLength": 1}),
    "partition_key": Scalar("a partition key", _examine_partition_key, _same, _same, _balanced, {"minLength": 1}),
    "routine": Scalar(
        "a routine with its arguments",
        _examine_dropped("ROUTINE", "routine"),
        _same,
        _same,
        _balanced,
        {"minLength": 1},
    ),
    "aggregate": Scalar(
        "an aggregate with its arguments",
        _examine_dropped("AGGREGATE", "aggregate"),
        _same,
        _same,
        _balanced,
        {"minLength": 1},
    ),
    "operator": Scalar("an operator", _examine_operator, _same, _same, _balanced, {"minLength": 1}),
    "opclass": Scalar("an operator class", _examine_opclass, _same, _same, _balanced, {"minLength": 1}),
    "privilege": Scalar(
        "a privilege", _examine_privilege, str.upper, str.lower, _one_or_two, {"enum": sorted(_PRIVILEGES)}
    ),
    "roles": Many(ROLE),
    "options": Options(),
    "option_names": Many(QUALIFIED),
    "statistics": Integers("a statistics target", -1, 10_000),
}
"""By the name that a template says."""
