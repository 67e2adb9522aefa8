"""When the next frame may be sent: when the terminal has shown enough of those before.

Between an application and a screen lie buffers (ssh's, the network's) that take megabytes in no time and hand them
on slowly; whoever fills them sees the answer to a key seconds late. So a status report (``ESC[5n``) is asked for after
each frame, and while too many bytes are without an answer no further one is sent: the newest picture waits instead of
a queue of old ones. ``ESC[6n`` would not do, its answer looks like a function key.
"""

from __future__ import annotations

from collections import deque

__all__ = ["ANSWER", "QUESTION", "Pace"]

QUESTION = "\x1b[5n"
ANSWER = b"\x1b[0n"

WINDOW_BYTES = 2048
"""Sent and not answered: 30 ms at 64 KB/s, and enough for a typist on the other side of the world."""
FIRST_PATIENCE_SECONDS = 0.25
"""How long the very first answer is waited for before frames are sent without, and without questions."""
PATIENCE_SECONDS = 1.0
"""How long a terminal that has answered before is waited for."""
SLOWEST_BYTES_PER_SECOND = 2000.0
"""The longer the frame, the longer the patience: a 19,200 baud line."""


class Pace:
    """Pure bookkeeping; times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.asks = True
        """False when the first questions were not answered: this terminal does not, or not yet."""
        self._heard = False
        self._under_way: deque[tuple[int, float]] = deque()

    def expects(self, now: float) -> bool:
        """Whether an answer is likely to come still."""
        return bool(self._under_way) and (self._heard or now - self._under_way[-1][1] < FIRST_PATIENCE_SECONDS)

    def give_up(self) -> None:
        """Expect no answer to what was sent so far."""
        self._under_way.clear()

    def sent(self, size: int, now: float) -> None:
        """A frame of ``size`` bytes was written, with the question at its end."""
        self._under_way.append((size, now))

    def answered(self) -> None:
        """The terminal has come to the end of the oldest frame."""
        self.asks = self._heard = True
        if self._under_way:
            self._under_way.popleft()

    def wait(self, now: float) -> float:
        """Seconds until the next frame may be sent; 0 for now. Gives up answers that do not come."""
        size = sum(size for size, _ in self._under_way)
        if size < WINDOW_BYTES:
            return 0.0
        patience = PATIENCE_SECONDS + size / SLOWEST_BYTES_PER_SECOND if self._heard else FIRST_PATIENCE_SECONDS
        left = self._under_way[0][1] + patience - now
        if left > 0:
            return left
        self.give_up()
        self.asks = self._heard
        return 0.0
