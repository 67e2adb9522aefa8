"""Explain a plan to the people who answer for it: as text for a terminal, as Markdown for a ticket, as JSON for a
program. All three say the same, from the same parts:

``verdict``  one sentence for somebody who reads only that
``facts``    what there is to say about a step, as labelled sentences
``whole``    what there is to say about the plan: time, disks, longest chain, who is in the way, when it is quiet
``text``, ``markdown``, ``as_json``  the three forms
"""

from __future__ import annotations

from wesley_tui.planner.explain.as_json import explain_json
from wesley_tui.planner.explain.markdown import explain_markdown
from wesley_tui.planner.explain.text import explain_text
from wesley_tui.planner.explain.verdict import verdict

__all__ = ["explain_json", "explain_markdown", "explain_text", "verdict"]
