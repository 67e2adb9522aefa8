"""A run that another process executes, as one sees and steers it from here: the same calls as for one's own.

Its events come from the database, in the order of their ids; what is asked of it is a row that its process takes. A
thread follows, another one asks: neither the screen nor the run waits for the other. Leaving it changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.run import Outbox, RunOutcome, RunUpdate

if TYPE_CHECKING:
    from wesley_tui.executor.ledger import RunSummary

__all__ = ["AttachedRun"]


class AttachedRun:
    """``refused`` is called, in another thread, with the reason why something that was asked is not done."""

    def __init__(self, conninfo: str, run: RunSummary, refused: Callable[[str], None]) -> None:
        self.run_id = run.run_id
        self.plan_id = run.plan_id
        self._conninfo = conninfo
        self._refused = refused
        self._outbox = Outbox()
        self._ended: Future[RunOutcome] = Future()
        self._left = False
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="asking")
        threading.Thread(target=self._follow, name=f"attached-{run.run_id}", daemon=True).start()

    def drain(self) -> RunUpdate:
        return self._outbox.take()

    def wait(self, timeout: float | None = None) -> RunOutcome | None:
        """How it ended, or None while a process works on it."""
        try:
            return self._ended.result(timeout)
        except TimeoutError:
            return None

    def leave(self) -> None:
        """Look no longer; the run does not notice."""
        self._left = True
        self._asking.shutdown(wait=False)

    def pause(self) -> None:
        from wesley_tui.executor.asking import ask_pause

        self._ask(lambda: ask_pause(self._conninfo, self.run_id, "", patience_s=0))

    def resume(self) -> None:
        from wesley_tui.executor.asking import ask_resume, find_summary

        self._ask(lambda: ask_resume(self._conninfo, find_summary(self._conninfo, self.run_id), patience_s=0))

    def abort(self, reason: str) -> None:
        from wesley_tui.executor.asking import ask_cancel

        self._ask(lambda: ask_cancel(self._conninfo, self.run_id, reason, patience_s=0))

    def skip(self, step_sha: str, reason: str) -> None:
        from wesley_tui.executor.asking_steps import ask_skip

        self._ask(lambda: ask_skip(self._conninfo, self.run_id, step_sha, reason, patience_s=0))

    def retry(self, step_sha: str = "") -> None:
        from wesley_tui.executor.asking_steps import ask_retry

        self._ask(lambda: ask_retry(self._conninfo, self.run_id, step_sha))

    def terminate(self, pid: int, started: str, reason: str) -> None:
        from wesley_tui.executor.asking import find_summary
        from wesley_tui.executor.asking_steps import ask_terminate, holdups

        def ask() -> object:
            run = find_summary(self._conninfo, self.run_id)
            for holdup in holdups(self._conninfo, run):
                if (holdup.blocker.pid, holdup.started) == (pid, started):
                    return ask_terminate(self._conninfo, run, holdup, reason)
            self._refused(f"session {pid} does not hold up run {self.run_id} any more; nothing was ended")
            return None

        self._ask(ask)

    def _ask(self, ask: Callable[[], object]) -> None:
        def asked() -> None:
            try:
                ask()
            except Exception as error:  # whatever it was, the person has to hear that it is not done
                self._refused(str(error))

        if not self._left:
            self._asking.submit(asked)

    def _follow(self) -> None:
        from wesley_tui.executor.attach import follow_pages

        message = ""
        try:
            for events in follow_pages(self._conninfo, self.run_id, enough=lambda: self._left):
                self._outbox.put(events)
        except Exception as error:  # the thread's only reader is whoever waits for the end
            message = str(error)
        status = self._outbox.state.status
        lost = status in {RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.PENDING}
        if lost and not message:
            message = f"no process executes run {self.run_id} any more. What was committed is recorded"
        self._ended.set_result(RunOutcome(self.run_id, self.plan_id, status, message, lost=lost))
