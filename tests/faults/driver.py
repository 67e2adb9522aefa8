"""A process that runs a plan and may be killed: ``python -m tests.faults.driver start|resume URI PLAN_FILE``.

``WESLEY_FAILPOINT`` (see :mod:`wesley_tui.executor.failpoints`) ends it somewhere; ``WESLEY_WRONG`` makes it an
executor that is wrong on purpose (see :mod:`tests.faults.wrong`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.faults.wrong import make_wrong
from tests.plans import accept
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import ExecutorError
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.stored import plan_from_document


def main(arguments: list[str]) -> int:
    """Exit status as the ``wesley`` command's."""
    verb, uri, plan_file = arguments
    if wrong := os.environ.get("WESLEY_WRONG"):
        make_wrong(wrong)
    options = RunOptions(lock_patience_s=10, orphan_patience_s=2, knobs=Knobs(workers=2))
    try:
        if verb == "start":
            plan = plan_from_document(Path(plan_file).read_text())
            run = start_run(uri, plan, accept(plan, contract=True), options)
        else:
            run = resume_run(uri, options)
    except ExecutorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    outcome = run.wait()
    assert outcome is not None
    print(outcome.message, file=sys.stderr)
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
