"""The planner: Changes → operations → waves of steps, with hazards, locks and undo."""
