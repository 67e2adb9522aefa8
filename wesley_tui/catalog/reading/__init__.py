"""Answers of the server → records, one module per kind of thing (see :mod:`wesley_tui.catalog.assemble`)."""
