"""GraphQL SDL ⇄ Catalog: the directive dialect, compile, emit, lint."""
