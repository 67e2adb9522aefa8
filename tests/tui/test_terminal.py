"""On a real pseudo-terminal: signals, a closed window, colours of modest terminals."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal

PROGRAM = """
import sys
from tests.tui.driving import SCHEMA
from tests.tui.fakes import FakeWorkbench
from wesley_tui.tui.app import WesleyApp, run_terminal
app = WesleyApp(FakeWorkbench(), [("schema.graphql", SCHEMA)])
status = run_terminal(app)
open({report!r}, "w").write(f"{{status}} {{[run.asked for run in app.context.workbench.runs]}}")
sys.exit(status)
"""
LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_a_signal_restores_the_terminal(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    number = signal.Signals[name]
    report = tmp_path_factory.mktemp("terminal") / "report"
    with Terminal(PROGRAM.format(report=str(report))) as terminal:
        terminal.wait_for("add_column")
        terminal.signal(number)
        assert terminal.wait() == 128 + number
        for sequence in (LEAVE_ALTERNATE_SCREEN, SHOW_CURSOR, MOUSE_OFF):
            assert sequence in terminal.output
    assert report.read_text() == f"{128 + number} []"


def test_a_signal_stops_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    report = tmp_path_factory.mktemp("terminal") / "report"
    with Terminal(PROGRAM.format(report=str(report))) as terminal:
        terminal.wait_for("add_column")
        terminal.send(b"\x12")
        terminal.wait_for("Review before execute")
        terminal.send(b"\x1b[1;5F")
        terminal.wait_for("skip the scan")  # the last line of the explanation
        terminal.send(b"apply\r")
        terminal.wait_for("starting")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
    assert report.read_text() == f"{128 + signal.SIGTERM} [['abort: the terminal application got SIGTERM']]"


def test_a_closed_window_ends_the_application(tmp_path_factory: pytest.TempPathFactory) -> None:
    report = tmp_path_factory.mktemp("terminal") / "report"
    with Terminal(PROGRAM.format(report=str(report))) as terminal:
        terminal.wait_for("add_column")
        terminal.hang_up()
        assert terminal.wait() == 128 + signal.SIGHUP
    assert report.exists()


def test_a_terminal_that_stopped_reading_does_not_keep_the_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Nobody reads the pty: the writer blocks, its queue fills, the event loop waits for it."""
    report = tmp_path_factory.mktemp("terminal") / "report"
    with Terminal(PROGRAM.format(report=str(report)), columns=200, rows=60) as terminal:
        terminal.wait_for("add_column")
        for _ in range(100):
            terminal.send(b"\x1b[24~")
        terminal.signal(signal.SIGTERM)
        assert terminal.process.wait(timeout=20) == 128 + signal.SIGTERM


def test_errors_may_go_to_a_file(tmp_path: Path) -> None:
    """``wesley 2>log``: the screen is on standard output."""
    with Terminal(PROGRAM.format(report=str(tmp_path / "report")), log=tmp_path / "log") as terminal:
        terminal.wait_for("add_column")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        assert LEAVE_ALTERNATE_SCREEN in terminal.output
    assert (tmp_path / "log").read_bytes() == b""


COMMAND_LINE = """
import sys
from wesley_tui.cli.main import main
sys.argv = ["wesley", {schema!r}, "--db", "host=/nowhere dbname=shop"]
main()
"""


def test_the_command_draws_while_errors_go_to_a_file(tmp_path: Path) -> None:
    schema = tmp_path / "schema.graphql"
    schema.write_text("type Alpha @table { id: ID! @pk }\n")
    with Terminal(COMMAND_LINE.format(schema=str(schema)), log=tmp_path / "log") as terminal:
        terminal.wait_for("no database")
        terminal.send(b"\x11")
        assert terminal.wait() == 0
    assert (tmp_path / "log").read_text() == ""


def test_textuals_own_driver_would_draw_into_the_file(tmp_path: Path) -> None:
    schema = tmp_path / "schema.graphql"
    schema.write_text("")
    environment = {"WESLEY_DRIVER": "stock"}
    program = COMMAND_LINE.format(schema=str(schema))
    with Terminal(program, log=tmp_path / "log", environment=environment) as terminal:
        assert terminal.wait() == 2
    assert "WESLEY_DRIVER=stock draws the screen on standard error" in (tmp_path / "log").read_text()


def test_an_application_that_was_stopped_without_a_word_takes_the_terminal_back(tmp_path: Path) -> None:
    with Terminal(PROGRAM.format(report=str(tmp_path / "report"))) as terminal:
        terminal.wait_for("add_column")
        terminal.wait_for("Strongest lock per relation")
        terminal.quiet(0.6)
        before = terminal.display()
        terminal.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        terminal.emulate(b"\x1b[2J\x1b[1;1H[1]+  Stopped  wesley")
        terminal.signal(signal.SIGCONT)
        terminal.read_until(lambda _: terminal.display() == before)
        terminal.send(b"qz")
        terminal.wait_for("qz")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize("answers", [True, False], ids=["answers", "never answers"])
def test_a_stopped_application_draws_everything_again(answers: bool, tmp_path: Path) -> None:
    with Terminal(PROGRAM.format(report=str(tmp_path / "report")), answers=answers) as terminal:
        terminal.wait_for("add_column")
        terminal.wait_for("Strongest lock per relation")  # the details, which are painted last
        terminal.quiet(0.6)
        before = terminal.display()
        terminal.signal(signal.SIGTSTP)
        terminal.read_until(lambda data: LEAVE_ALTERNATE_SCREEN in data)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        terminal.forget()
        terminal.emulate(b"\x1b[2J\x1b[1;1H$ other output")
        terminal.signal(signal.SIGCONT)
        terminal.read_until(lambda _: terminal.display() == before)
        terminal.send(b"\x1bOR")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM


def test_ctrl_l_draws_over_what_another_program_wrote(tmp_path: Path) -> None:
    with Terminal(PROGRAM.format(report=str(tmp_path / "report"))) as terminal:
        terminal.wait_for("add_column")
        terminal.quiet()
        before = terminal.display().splitlines()
        terminal.emulate(b"\x1b[3;1Hbroadcast message from root")
        assert terminal.display().splitlines()[2] != before[2]
        terminal.send(b"\x0c")
        terminal.read_until(lambda _: terminal.display().splitlines()[2] == before[2])


def test_answers_of_the_terminal_are_not_typed(tmp_path: Path) -> None:
    with Terminal(PROGRAM.format(report=str(tmp_path / "report"))) as terminal:
        terminal.wait_for("add_column")
        terminal.send(b"\x1b[0nq\x1b[0n\x1b[0nz\x1b[0n")
        terminal.wait_for("qz")


def test_keys_that_come_in_one_piece_go_to_the_pane_that_the_first_one_opened(tmp_path: Path) -> None:
    """As over a slow line: F3 and what is meant for the plan."""
    with Terminal(PROGRAM.format(report=str(tmp_path / "report"))) as terminal:
        terminal.wait_for("add_column")
        terminal.quiet()
        terminal.send(b"\x1bOR?")
        terminal.wait_for("Everywhere")


def test_256_colours_without_colorterm(tmp_path_factory: pytest.TempPathFactory) -> None:
    report = tmp_path_factory.mktemp("terminal") / "report"
    with Terminal(PROGRAM.format(report=str(report))) as terminal:
        terminal.wait_for("add_column")
        terminal.quiet()
        assert b"38;5;" in terminal.output
        assert b"38;2;" not in terminal.output


def test_no_color_writes_no_colour(tmp_path_factory: pytest.TempPathFactory) -> None:
    report = tmp_path_factory.mktemp("terminal") / "report"
    with Terminal(PROGRAM.format(report=str(report)), environment={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("add_column")
        terminal.quiet()
        attributes = {
            int(code) for codes in re.findall(rb"\x1b\[([\d;]+)m", bytes(terminal.output)) for code in codes.split(b";")
        }
        colours = {code for code in attributes if 30 <= code <= 38 or 40 <= code <= 48 or code >= 90}
        assert colours == set()
        assert 1 in attributes
