"""What people have decided about single steps while a run goes on: leave one out, or try it again now.

Both are rows of ``wesley.migration_commands`` before they are obeyed, so a run that is resumed knows them too; of two
that speak of the same step, the later one counts.
"""

from __future__ import annotations

import asyncio
import contextlib

from wesley_tui.executor.gate import Asked

__all__ = ["Decisions", "Skipped"]


class Skipped(Exception):
    """A person wants the step left out; what it had not committed was rolled back."""


class Decisions:
    def __init__(self) -> None:
        self._left_out: dict[str, Asked] = {}
        self._pauses: dict[str, asyncio.Event] = {}

    @property
    def left_out(self) -> dict[str, Asked]:
        """Who wants which step left out, by ``step_sha``."""
        return self._left_out

    def leave_out(self, step_sha: str, asked: Asked) -> None:
        self._left_out[step_sha] = asked
        self._wake(step_sha)

    def try_again(self, step_sha: str) -> None:
        """Of a step that is left out: take it in again. Of one that pauses between two attempts: do not wait. An empty
        text means all of them."""
        for sha in [step_sha] if step_sha else [*self._left_out, *self._pauses]:
            self._left_out.pop(sha, None)
            self._wake(sha)

    def hurry(self) -> None:
        """Whoever held up a step has gone: no step waits for its next attempt any longer."""
        for sha in list(self._pauses):
            self._wake(sha)

    async def pause(self, step_sha: str, seconds: float) -> bool:
        """Wait between two attempts at a step; True when somebody did not want to wait."""
        woken = self._pauses[step_sha] = asyncio.Event()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await woken.wait()
            return woken.is_set()
        finally:
            del self._pauses[step_sha]

    def _wake(self, step_sha: str) -> None:
        pause = self._pauses.get(step_sha)
        if pause is not None:
            pause.set()
