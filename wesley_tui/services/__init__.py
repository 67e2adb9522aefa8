"""The calls that both faces make, terminal and command line: read, plan, review, run. No widget, no printing."""
