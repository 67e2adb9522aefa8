"""The grammar of GraphQL's type system documents: one definition at a time, from its first character on.

Written by hand on a few regular expressions, because an editor that compiles after every keystroke has 50 ms for
everything, and graphql-core's parser takes 0.5–1 s for a thousand types. graphql-core is the judge instead: the tests
feed both the same texts, good and bad, and demand the same answer.

A definition that cannot be read becomes a ``broken`` one with its issue; reading goes on at the next line that looks
like the start of a definition.
"""

from __future__ import annotations

import re
from typing import Literal, NoReturn, cast

from wesley_tui.sdl.strings import BadEscape, block_value, quoted_value
from wesley_tui.sdl.syntax import (
    Argument,
    Definition,
    Directive,
    EnumValue,
    Field,
    Keyword,
    SyntaxIssue,
    TypeRef,
    Value,
)

__all__ = ["MAX_FIELDS", "MAX_NESTING", "Parser"]

MAX_FIELDS = 1_600
"""Of one type: PostgreSQL's limit of columns in a table (MaxHeapAttributeNumber)."""
MAX_NESTING = 100

_IGNORED = r"(?:[ \t\r\n,\ufeff]++|#[^\r\n]*+)*+"
_NAME = r"[_A-Za-z][_0-9A-Za-z]*+"
_STRING = r'"(?!"")([^"\\\r\n]*+)"'

_SKIP = re.compile(_IGNORED)
_AHEAD = re.compile(f"{_IGNORED}(?:{_NAME}|.)?", re.DOTALL)
_WORD = re.compile(f"{_IGNORED}({_NAME})")
_PUNCTUATOR = re.compile(_IGNORED + r"([!&():=@\[\]{}|])")
_DIRECTIVE = re.compile(f"{_IGNORED}(@){_IGNORED}({_NAME}){_IGNORED}(\\()?")
_ARGUMENT = re.compile(
    f"{_IGNORED}(?:(\\))|({_NAME}){_IGNORED}:{_IGNORED}(?:{_STRING}|({_NAME}))?)",
)
_FIELD = re.compile(
    f"{_IGNORED}(?:(\\}})|({_NAME}){_IGNORED}:{_IGNORED}(\\[)?{_IGNORED}({_NAME}){_IGNORED}(!)?{_IGNORED}(\\])?{_IGNORED}(!)?)"
)
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*+))(\.[0-9]++)?([eE][+-]?[0-9]++)?(?![0-9A-Za-z_.])")
_QUOTED = re.compile(r'"((?:[^"\\\r\n]|\\[^\r\n])*+)"')
_BLOCK = re.compile(r'"""((?:[^"\\]|\\"""|\\|"(?!""))*+)"""')
_START = re.compile(
    r'^(?:"|(?:extend[ \t]+)?(?:type|enum|scalar|schema|interface|union|input|directive)\b)', re.MULTILINE
)
_KEYWORDS = frozenset({"type", "enum", "scalar", "schema", "interface", "union", "input", "directive"})
_EXECUTABLE = frozenset({"query", "mutation", "subscription", "fragment"})
_LOCATIONS = frozenset(
    (
        *("QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"),
        *("VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION"),
        *("INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION"),
    )
)


class _Broken(Exception):
    """``to_the_end``: whether it is broken depends on all the text that follows."""

    def __init__(self, message: str, position: int, hint: str, code: str, to_the_end: bool) -> None:
        self.position, self.hint, self.code, self.to_the_end = position, hint, code, to_the_end
        super().__init__(message)


class Parser:
    """One pass over a text. ``position`` is where reading goes on; ``base`` the start of the current definition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.base = 0
        self.reach = 0

    def skip(self) -> int:
        match = _SKIP.match(self.text, self.position)
        self.position = match.end() if match else self.position
        return self.position

    def definition(self, start: int) -> Definition:
        self.base = self.position = start
        try:
            result = self._definition()
        except _Broken as broken:
            issue = SyntaxIssue(broken.code, str(broken), broken.position - start, broken.hint)
            following = _START.search(self.text, max(broken.position, start + 1))
            self.position = following.start() if following else len(self.text)
            self.reach = (following.end() if following and not broken.to_the_end else len(self.text)) + 1
            return Definition("broken", "", 0, issue=issue)
        # The next token was looked at, to see that the definition does not go on.
        ahead = _AHEAD.match(self.text, self.position)
        self.reach = (ahead.end() if ahead else self.position) + 1
        return result

    # -- definitions ------------------------------------------------------------------------------------------------

    def _definition(self) -> Definition:
        description = self._description()
        keyword_at, keyword = self._word("a definition (type, enum, scalar, schema, extend …)")
        extend = False
        if keyword == "extend":
            if description is not None:
                self._fail("an extension has no description", keyword_at, "describe the type where it is defined")
            extend = True
            keyword_at, keyword = self._word("type, enum, scalar, schema … after extend")
        if keyword not in _KEYWORDS or (extend and keyword == "directive"):
            hint = "a schema holds definitions only, no operations" if keyword in _EXECUTABLE else ""
            shown = keyword if len(keyword) <= 63 else f"{keyword[:63]}…"
            self._fail(f"unexpected {shown!r} where a definition should start", keyword_at, hint)
        word = cast(Keyword, keyword)
        if word == "directive":
            return self._directive_definition(keyword_at, description)
        if word == "schema":
            directives = self._directives()
            has_body = self._operations(required=not extend)
            if not has_body and not directives:
                self._unexpected("directives or a body after extend schema")
            return Definition("schema", "", keyword_at - self.base, extend, description, directives)
        name_at, name = self._word(f"the name of the {word}")
        at = name_at - self.base
        implements = word in ("type", "interface") and self._implements()
        directives = self._directives()
        fields: tuple[Field, ...] = ()
        values: tuple[EnumValue, ...] = ()
        members = False
        if word == "enum":
            values = self._enum_values()
        elif word == "union":
            members = self._union_members()
        elif word != "scalar":
            fields = self._fields(input_values=word == "input")
        if extend and not (directives or fields or values or members or implements):
            self._unexpected(f"directives or a body after extend {word} {name}")
        return Definition(word, name, at, extend, description, directives, fields, values)

    def _directive_definition(self, at: int, description: Value | None) -> Definition:
        self._expect("@")
        _, name = self._word("the name of the directive")
        if self._accept("("):
            self._input_values(")")
        word_at, word = self._word("on")
        if word == "repeatable":
            word_at, word = self._word("on")
        if word != "on":
            self._fail(f"expected on, found {word!r}", word_at)
        self._accept("|")
        self._location()
        while self._accept("|"):
            self._location()
        return Definition("directive", name, at - self.base, description=description)

    def _location(self) -> None:
        at, name = self._word("a directive location")
        if name not in _LOCATIONS:
            self._fail(f"{name!r} is not a directive location", at, "OBJECT, FIELD_DEFINITION, ENUM …")

    def _implements(self) -> bool:
        match = _WORD.match(self.text, self.position)
        if match is None or match[1] != "implements":
            return False
        self.position = match.end()
        self._accept("&")
        self._word("the name of an interface")
        while self._accept("&"):
            self._word("the name of an interface")
        return True

    def _union_members(self) -> bool:
        if not self._accept("="):
            return False
        self._accept("|")
        self._word("a member of the union")
        while self._accept("|"):
            self._word("a member of the union")
        return True

    def _enum_values(self) -> tuple[EnumValue, ...]:
        if not self._accept("{"):
            return ()
        values: list[EnumValue] = []
        while not (values and self._accept("}")):
            description = self._description()
            at, name = self._word("an enum value")
            if name in ("true", "false", "null"):
                self._fail(
                    f"{name} is reserved and cannot be an enum value", at, f'write {name}_ @label(name: "{name}")'
                )
            values.append(EnumValue(name, self._directives(), description, at - self.base))
        return tuple(values)

    def _operations(self, *, required: bool) -> bool:
        """The body of a schema definition: which types are the entry points of an API. No business of a database."""
        if not self._accept("{"):
            if required:
                self._unexpected("{")
            return False
        count = 0
        while not (count and self._accept("}")):
            count += 1
            at, operation = self._word("query, mutation or subscription")
            if operation not in ("query", "mutation", "subscription"):
                self._fail(f"expected query, mutation or subscription, found {operation!r}", at)
            self._expect(":")
            self._word("a type")
        return True

    def _fields(self, *, input_values: bool) -> tuple[Field, ...]:
        if not self._accept("{"):
            return ()
        if input_values:
            self._input_values("}")
            return (Field("", TypeRef("", 0), (), None, 0),)
        fields: list[Field] = []
        match_field, text = _FIELD.match, self.text
        while True:
            match = match_field(text, self.position)
            if match is None:
                fields.append(self._odd_field())
            else:
                close, name, opening, type_name, first, closing, second = match.groups()
                if close is not None:
                    if not fields:
                        self._fail("a type needs at least one field between { and }", match.start(1))
                    self.position = match.end()
                    return tuple(fields)
                if (opening is None) is (closing is None) and not (closing is None and second is not None):
                    self.position = match.end()
                    base = self.base
                    reference = TypeRef(
                        type_name,
                        match.start(4) - base,
                        (first if opening is None else second) is not None,
                        0 if opening is None else 1,
                        opening is not None and first is not None,
                    )
                    fields.append(Field(name, reference, self._directives(), None, match.start(2) - base))
                else:
                    fields.append(self._odd_field())
            if len(fields) > MAX_FIELDS:
                self._fail(
                    f"more than {MAX_FIELDS:,} fields in one type, and PostgreSQL allows no more columns in a table",
                    self.position,
                    "split the table",
                    "too-large",
                )

    def _odd_field(self) -> Field:
        """A field with a description, arguments, or a nested list; or the error that it is."""
        description = self._description()
        at, name = self._word("a field, or }")
        has_arguments = self._accept("(")
        if has_arguments:
            self._input_values(")")
        self._expect(":")
        reference = self._type(0)
        return Field(name, reference, self._directives(), description, at - self.base, has_arguments)

    def _input_values(self, close: str) -> None:
        """Arguments that something defines: read, because they must be right; not kept, because columns have none."""
        count = 0
        while not (count and self._accept(close)):
            count += 1
            self._description()
            self._word("the name of an argument")
            self._expect(":")
            self._type(0)
            if self._accept("="):
                self._value(0)
            self._directives()

    def _type(self, depth: int) -> TypeRef:
        if depth > MAX_NESTING:
            self._fail(f"lists are nested deeper than {MAX_NESTING}", self.position, code="too-deep")
        if self._accept("["):
            inner = self._type(depth + 1)
            self._expect("]")
            return TypeRef(inner.name, inner.at, self._accept("!"), inner.lists + 1, inner.not_null)
        at, name = self._word("a type")
        return TypeRef(name, at - self.base, self._accept("!"))

    # -- directives and values --------------------------------------------------------------------------------------

    def _directives(self) -> tuple[Directive, ...]:
        text, base = self.text, self.base
        match = _DIRECTIVE.match(text, self.position)
        if match is None:
            following = _PUNCTUATOR.match(text, self.position)
            if following is not None and following[1] == "@":
                self.position = following.end()
                self._word("the name of a directive after @")
            return ()
        result: list[Directive] = []
        while match is not None:
            self.position = match.end()
            arguments = self._arguments() if match[3] is not None else ()
            result.append(Directive(match[2], arguments, match.start(1) - base))
            match = _DIRECTIVE.match(text, self.position)
        following = _PUNCTUATOR.match(text, self.position)
        if following is not None and following[1] == "@":
            self.position = following.end()
            self._word("the name of a directive after @")
        return tuple(result)

    def _arguments(self) -> tuple[Argument, ...]:
        text, base = self.text, self.base
        result: list[Argument] = []
        match_argument = _ARGUMENT.match
        while True:
            match = match_argument(text, self.position)
            if match is None:
                self._word("the name of an argument, or )")
                self._expect(":")
                raise AssertionError("unreachable: one of the two fails")
            close, name, string, word = match.groups()
            if close is not None:
                if not result:
                    self._fail("expected an argument between ( and )", match.start(1), "leave the parentheses out")
                self.position = match.end()
                return tuple(result)
            self.position = match.end()
            if string is not None:
                value = Value("string", string, match.start(3) - 1 - base)
            elif word is not None:
                value = _word_value(word, match.start(4) - base)
            else:
                value = self._value(0)
            result.append(Argument(name, value, match.start(2) - base))

    def _value(self, depth: int) -> Value:
        if depth > MAX_NESTING:
            self._fail(f"values are nested deeper than {MAX_NESTING}", self.position, code="too-deep")
        text, at = self.text, self.skip()
        character = text[at : at + 1]
        if character == '"':
            return self._string(at)
        if character == "[":
            self.position = at + 1
            items: list[Value] = []
            while not self._accept("]"):
                items.append(self._value(depth + 1))
            return Value("list", tuple(items), at - self.base)
        if character == "{":
            self.position = at + 1
            members: list[tuple[str, Value]] = []
            while not self._accept("}"):
                _, name = self._word("the name of an object field, or }")
                self._expect(":")
                members.append((name, self._value(depth + 1)))
            return Value("object", tuple(members), at - self.base)
        number = _NUMBER.match(text, at)
        if number is not None:
            self.position = number.end()
            kind: Literal["int", "float"] = "int" if number[2] is None and number[3] is None else "float"
            return Value(kind, number[0], at - self.base)
        if character.isdigit() or character == "-":
            self._fail("this is not a number as GraphQL writes it", at, 'other numbers go in quotes: "007", ".5"')
        if character == "$":
            self._fail("a schema has no variables", at, 'text goes in quotes: "$1"')
        _, word = self._word("a value")
        return _word_value(word, at - self.base)

    def _string(self, at: int) -> Value:
        text = self.text
        if text.startswith('"""', at):
            block = _BLOCK.match(text, at)
            if block is None:
                self._fail("this block string is never closed", at, 'close it with """', to_the_end=True)
            self.position = block.end()
            return Value("string", block_value(block[1]), at - self.base, False, block[0])
        quoted = _QUOTED.match(text, at)
        if quoted is None:
            self._fail("this string is never closed on its line", at, 'close it with ", or use """ for many lines')
        self.position = quoted.end()
        body = quoted[1]
        try:
            raw = "\\" not in body
            return Value("string", quoted_value(body), at - self.base, raw, "" if raw else quoted[0])
        except BadEscape as error:
            self._fail(str(error), at + 1 + error.offset)

    def _description(self) -> Value | None:
        at = self.skip()
        return self._string(at) if self.text.startswith('"', at) else None

    # -- tokens -----------------------------------------------------------------------------------------------------

    def _word(self, expected: str) -> tuple[int, str]:
        match = _WORD.match(self.text, self.position)
        if match is None:
            self._unexpected(expected)
        self.position = match.end()
        return match.start(1), match[1]

    def _accept(self, punctuator: str) -> bool:
        match = _PUNCTUATOR.match(self.text, self.position)
        if match is None or match[1] != punctuator:
            return False
        self.position = match.end()
        return True

    def _expect(self, punctuator: str) -> None:
        if not self._accept(punctuator):
            self._unexpected(punctuator)

    def _unexpected(self, expected: str) -> NoReturn:
        at = self.skip()
        rest = self.text[at : at + 40]
        if not rest:
            found = "the end of the file"
        elif (word := re.match(r"\w+", rest)) is not None:
            found = repr(word[0])
        else:
            found = repr(rest[0])
        self._fail(f"expected {expected}, found {found}", at)

    def _fail(
        self, message: str, position: int, hint: str = "", code: str = "syntax-error", *, to_the_end: bool = False
    ) -> NoReturn:
        raise _Broken(message, position, hint, code, to_the_end)


def _word_value(word: str, at: int) -> Value:
    if word == "true" or word == "false":
        return Value("boolean", word == "true", at)
    if word == "null":
        return Value("null", None, at)
    return Value("enum", word, at)
