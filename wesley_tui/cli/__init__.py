"""The ``wesley`` command: arguments in, service calls, results out, exit codes."""
