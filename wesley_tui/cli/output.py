"""The only module that writes: results to stdout, everything else to stderr, and nothing that a terminal obeys."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from typing import Any, NoReturn

from wesley_tui.cli.exit_codes import ExitCode

__all__ = ["fail", "fail_usage", "note", "printable", "result", "result_json"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """``text`` with control, bidirectional and zero-width characters shown as escapes: names and server messages come
    from other people."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def result(text: str) -> bool:
    """Write a result; a newline is added when it has none. False when nobody reads any more (``| head``, ``>&-``): the
    exit code is still what the command did, so that ``pipefail`` sees a run that failed.

    A result that cannot be written (a full disk) ends the process: exit code 1.
    """
    try:
        return _write(sys.stdout, text if text.endswith("\n") else text + "\n")
    except OSError as error:
        _silence(sys.stdout)
        note(
            f"wesley: the result could not be written to standard output: {error.strerror or error}\n"
            "  What was done is done: `wesley status` tells it. Make room, or write it elsewhere."
        )
        sys.exit(int(ExitCode.FAILED))


def result_json(value: Any) -> bool:
    """Write a result as JSON: one document, indented, with characters as they are; see :func:`result`."""
    return result(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def note(text: str) -> None:
    """Tell the person who watches: progress, warnings, what happens next. Nobody may watch any more: the terminal was
    closed, the reader went away, the disk with the log is full. What is being done goes on all the same."""
    try:
        _write(sys.stderr, printable(text) + "\n")
    except OSError:
        _silence(sys.stderr)


def fail(error: BaseException, code: ExitCode, *, as_json: bool) -> NoReturn:
    """Say what went wrong and leave with ``code``. With ``--json`` the error is a document on stdout as well, because
    a program that reads results must not have to parse prose."""
    if as_json:
        document: dict[str, Any] = {"error": {"code": int(code), "name": code.name.lower(), "message": str(error)}}
        diagnostics = getattr(error, "diagnostics", None)
        if diagnostics:
            document["error"]["diagnostics"] = [diagnostic_json(item) for item in diagnostics]
        verdict = getattr(error, "verdict", None)
        if verdict is not None:
            document["error"]["policy"] = verdict.to_json()
        result_json(document)
    note(f"wesley: {error}")
    sys.exit(int(code))


def fail_usage(message: str, code: int) -> None:
    """The document of an error that was told already: a wrong option, a missing argument."""
    result_json({"error": {"code": code, "name": ExitCode(code).name.lower(), "message": message}})


def diagnostic_json(item: Any) -> dict[str, Any]:
    return {
        "severity": item.severity,
        "code": item.code,
        "message": item.message,
        "source": item.source,
        "line": item.line,
        "column": item.column,
        "hint": item.hint,
    }


def _write(stream: Any, text: str) -> bool:
    """Write and flush; False when there is nobody to read it, and never will be."""
    if stream is None:  # closed before we began: `>&-`
        return False
    try:
        stream.write(text)
        stream.flush()
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        return _write(stream, text.encode(encoding, "backslashreplace").decode(encoding))
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO, errno.EBADF):
            raise
        _silence(stream)
        return False
    return True


def _silence(stream: Any) -> None:
    """What follows goes nowhere, and so does the interpreter's own flush at exit, which would change the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
