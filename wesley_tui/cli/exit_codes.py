"""Exit codes: a contract with CI. This module alone knows which error means which code."""

from __future__ import annotations

import enum
import sys


class ExitCode(enum.IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    SCHEMA_INVALID = 3
    CANNOT_CONNECT = 4
    LOCK_NOT_ACQUIRED = 5
    CHECK_FAILED = 6
    DRIFT = 7
    UNSAFE_BLOCKED = 8
    CANCELLED = 9
    RECOVERY_NEEDED = 10
    INTERRUPTED = 130
    """128 + SIGINT, as shells expect."""


_BY_CLASS = (
    ("sdl.diagnostics", "SchemaError", ExitCode.SCHEMA_INVALID),
    ("services.errors", "CannotConnect", ExitCode.CANNOT_CONNECT),
    ("services.errors", "InputError", ExitCode.USAGE),
    ("services.errors", "NotVerified", ExitCode.CHECK_FAILED),
    ("services.policing", "PolicyRefused", ExitCode.UNSAFE_BLOCKED),
    ("services.errors", "ServiceError", ExitCode.FAILED),
    ("planner.document", "PlanDocumentError", ExitCode.CHECK_FAILED),
    ("planner.policy", "PolicyError", ExitCode.USAGE),
    ("dsl.json_text", "PlanError", ExitCode.SCHEMA_INVALID),
    ("demo.server", "ServerError", ExitCode.FAILED),
    ("demo.sessions", "SessionError", ExitCode.USAGE),
)


def exit_code_of(error: BaseException) -> ExitCode | None:
    """The code of an error that Wesley raises on purpose, None for any other: that is a defect of ours.

    Nothing is imported to find out: an error of a room that was never loaded cannot have happened.
    """
    executor = sys.modules.get("wesley_tui.executor.errors")
    if executor is not None and isinstance(error, executor.ExecutorError):
        return ExitCode(error.exit_code)
    for module, name, code in _BY_CLASS:
        loaded = sys.modules.get(f"wesley_tui.{module}")
        if loaded is not None and isinstance(error, getattr(loaded, name)):
            return code
    return None
