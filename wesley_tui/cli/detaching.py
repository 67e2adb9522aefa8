"""``--detach``: the run goes on in a process of its own, without a terminal; what it says goes to a file.

The process is forked after the plan was made and accepted, so that nothing has to be handed over in arguments or in the
environment. It is in a session of its own and ignores SIGHUP; SIGTERM ends the run in order. The caller waits until the
run has begun, or has failed to, and says which.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from wesley_tui.cli.exit_codes import ExitCode, exit_code_of
from wesley_tui.cli.output import fail, note, result, result_json
from wesley_tui.cli.progress import PROGRESS
from wesley_tui.cli.run_report import print_event

if TYPE_CHECKING:
    from wesley_tui.executor.events import Event
    from wesley_tui.planner.plan import Plan
    from wesley_tui.services.runs import Listen, RunReport

__all__ = ["run_detached"]


def run_detached(label: str, work: Callable[[Listen], RunReport], *, as_json: bool) -> NoReturn:
    """Do ``work`` in a process of its own and leave once it is known that a run has begun, or that none has.

    ``label`` names the database in the name of the log. ``work`` gets the listener that it is to hand events to.
    """
    log = _log_file(label)
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader, encoding="utf-8") as told:
            _report(told.readline(), log, as_json=as_json)
    os.close(reader)
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _write_to(log)
    _work(work, writer)


def _work(work: Callable[[Listen], RunReport], writer: int) -> NoReturn:
    told = False

    def tell(what: Mapping[str, Any]) -> None:
        nonlocal told
        if not told:
            told = True
            os.write(writer, (json.dumps(what) + "\n").encode())
            os.close(writer)

    def listen(plan: Plan) -> Callable[[Event], None]:
        printed = print_event(plan)

        def listener(event: Event) -> None:
            tell({"run_id": event.run_id, "plan_id": event.plan_id, "pid": os.getpid()})
            printed(event)

        return listener

    try:
        report = work(listen)
    except Exception as error:
        tell({"error": str(error), "exit_code": int(exit_code_of(error) or ExitCode.FAILED)})
        raise
    tell({"report": report.to_json(), "text": report.text(), "exit_code": report.exit_code})
    PROGRESS.written()
    note(report.text())
    if report.error:
        note(f"wesley: {report.error}")
    sys.exit(report.exit_code)


def _report(line: str, log: Path, *, as_json: bool) -> NoReturn:
    """Say to the caller what the other process has told."""
    if not line:
        fail(RuntimeError(f"the process ended before the run began; see {log}"), ExitCode.FAILED, as_json=as_json)
    told = json.loads(line)
    if "error" in told:
        fail(RuntimeError(told["error"]), ExitCode(told["exit_code"]), as_json=as_json)
    if "report" in told:
        if as_json:
            result_json(told["report"])
        else:
            result(told["text"])
        sys.exit(told["exit_code"])
    if as_json:
        result_json({**told, "log": str(log)})
    else:
        result(
            f"Run {told['run_id']} goes on in process {told['pid']}; what it says is in {log}\n"
            f"Watch it with: wesley attach --run {told['run_id']}"
        )
    sys.exit(int(ExitCode.DONE))


def _log_file(label: str) -> Path:
    """A new file below the XDG state directory that only its owner reads."""
    from platformdirs import user_state_path

    folder = user_state_path("wesley") / "runs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", label).strip("-")[:60]
    path = folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def _write_to(log: Path) -> None:
    """From now on standard output and error go to the file, standard input is empty."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    for number, target in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(number, target)
    os.close(nothing)
    os.close(file)
