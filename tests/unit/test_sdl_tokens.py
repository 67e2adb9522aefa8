"""Tokens for highlighting: any text, no overlap, the right kinds, state across lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wesley_tui.sdl.tokens import LineState, Token, tokenize_line


def kinds(text: str) -> list[list[tuple[str, str]]]:
    result: list[list[tuple[str, str]]] = []
    state = LineState()
    for line in text.split("\n"):
        tokens, state = tokenize_line(line, state)
        result.append([(line[token.start : token.end], token.kind) for token in tokens])
    return result


def assert_covers(line: str, tokens: list[Token]) -> None:
    """In order, without overlap, and nothing but white space and commas in between."""
    position = 0
    for start, end, _ in tokens:
        assert position <= start < end <= len(line)
        assert line[position:start].strip(" \t,\r\n\ufeff") == ""
        position = end
    assert line[position:].strip(" \t,\r\n\ufeff") == ""


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.sampled_from('type A{}()[]:!=@#"\\ ,$é1-.&|\t\x0b') | st.characters(), max_size=30)))
def test_any_text_has_tokens(lines: list[str]) -> None:
    state = LineState()
    for line in lines:
        tokens, state = tokenize_line(line, state)
        assert_covers(line, tokens)


def test_kinds() -> None:
    assert kinds('type User @table(name: "users") { # people') == [
        [
            *(("type", "keyword"), ("User", "type"), ("@table", "directive"), ("(", "punctuation")),
            *(("name", "argument"), (":", "punctuation"), ('"users"', "string"), (")", "punctuation")),
            *(("{", "punctuation"), ("# people", "comment")),
        ]
    ]
    assert kinds('type A {\n  "said" x: [Int!] @default(value: [A, true, 1])')[1] == [
        *(('"said"', "description"), ("x", "field"), (":", "punctuation"), ("[", "punctuation"), ("Int", "builtin")),
        *(("!", "punctuation"), ("]", "punctuation"), ("@default", "directive"), ("(", "punctuation")),
        *(("value", "argument"), (":", "punctuation"), ("[", "punctuation"), ("A", "enum"), ("true", "constant")),
        *(("1", "number"), ("]", "punctuation"), (")", "punctuation")),
    ]
    assert kinds("enum Role { VIEWER ADMIN @label }\ntype X")[0][3:5] == [("VIEWER", "enum"), ("ADMIN", "enum")]
    assert kinds("enum Role { A }\ntype X { A: B }")[1][3] == ("A", "field")


def test_words_that_are_keywords_elsewhere_are_names_inside_braces() -> None:
    assert kinds("type A {\n  type: Int\n  enum: on\n}")[1][0] == ("type", "field")


def test_what_is_no_sdl_is_an_error_and_the_next_line_is_not() -> None:
    assert kinds("type A { x: $ }")[0][-2] == ("$", "error")
    assert kinds('type A { x: Int @c(e: "never closed\n  y: Int }')[0][-1][1] == "error"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"""\ntype\n""" type A', [["description"], ["description"], ["description", "keyword", "type"]]),
        ('"""one""" type A', [["description", "keyword", "type"]]),
        ('"""a\\"""b\n"""', [["description"], ["description"]]),
        (
            'type A @c(e: """a\n b""") {',
            [[*["keyword", "type", "directive"], *["punctuation", "argument"]], ["string"]],
        ),
    ],
)
def test_block_strings_go_on_over_lines(text: str, expected: list[list[str]]) -> None:
    found = [[kind for _, kind in line] for line in kinds(text)]
    for line, start in zip(found, expected, strict=True):
        assert line[: len(start)] == start


def test_a_line_after_a_block_string_has_the_state_from_before_it() -> None:
    _, inside = tokenize_line('  """doc', LineState(body="fields"))
    assert inside == LineState(block="description", body="fields")
    _, after = tokenize_line('end"""', inside)
    assert after == LineState(body="fields")


def test_speed() -> None:
    lines = ['  email: String! @unique @check(expr: "length(email) > 3") @index(using: "hash")'] * 5_000
    state = LineState(body="fields")
    started = time.process_time()
    for line in lines:
        tokenize_line(line, state)
    assert time.process_time() - started < 1.0
