"""Kill things while a migration runs, and see that nothing is lost and nothing happens twice."""
