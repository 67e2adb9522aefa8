"""An embedded PostgreSQL and the example sessions: everything ``wesley demo`` needs."""
