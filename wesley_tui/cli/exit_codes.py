"""Exit codes: a contract with CI. This module alone knows which error means which code."""

from __future__ import annotations

import enum


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


def exit_code_of(error: BaseException) -> ExitCode | None:
    """The code of an error that Wesley raises on purpose, None for any other: that is a defect of ours.

    Rooms are imported only if they already are: an error of a room that was never loaded cannot have happened.
    """
    import sys

    def is_a(module: str, *names: str) -> bool:
        loaded = sys.modules.get(f"wesley_tui.{module}")
        return loaded is not None and isinstance(error, tuple(getattr(loaded, name) for name in names))

    table = (
        (ExitCode.SCHEMA_INVALID, "sdl.diagnostics", ("SchemaError",)),
        (ExitCode.CANNOT_CONNECT, "services.errors", ("CannotConnect",)),
        (ExitCode.CANNOT_CONNECT, "executor.errors", ("CannotConnect",)),
        (ExitCode.USAGE, "services.errors", ("InputError",)),
        (ExitCode.CHECK_FAILED, "planner.document", ("PlanDocumentError",)),
        (ExitCode.LOCK_NOT_ACQUIRED, "executor.errors", ("LockNotAcquired", "LockLost")),
        (ExitCode.CHECK_FAILED, "executor.errors", ("CheckFailed", "PreflightFailed")),
        (ExitCode.DRIFT, "executor.errors", ("DriftDetected",)),
        (ExitCode.UNSAFE_BLOCKED, "executor.errors", ("UnsafeBlocked",)),
        (ExitCode.CANCELLED, "executor.errors", ("RunCancelled",)),
        (ExitCode.RECOVERY_NEEDED, "executor.errors", ("RecoveryNeeded",)),
        (ExitCode.FAILED, "services.errors", ("ServiceError",)),
        (ExitCode.FAILED, "executor.errors", ("ExecutorError",)),
        (ExitCode.FAILED, "planner.build", ("PlanningError",)),
        (ExitCode.FAILED, "demo.server", ("ServerError",)),
    )
    return next((code for code, module, names in table if is_a(module, *names)), None)
