"""Several demos share one embedded server: the last one that ends stops it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from wesley_tui.demo.server import EmbeddedServer
from wesley_tui.demo.sessions import default
from wesley_tui.services.demo import Demo, hold_server
from wesley_tui.services.target import Target


class Server:
    stopped = 0

    def stop(self) -> None:
        self.stopped += 1


def test_the_last_demo_stops_the_server(tmp_path: Path) -> None:
    server = Server()
    first, second = (
        Demo(default(), cast(EmbeddedServer, server), Target(""), tmp_path, hold_server(tmp_path / "in-use"))
        for _ in range(2)
    )
    assert not first.stop()
    assert server.stopped == 0
    assert second.stop()
    assert server.stopped == 1
