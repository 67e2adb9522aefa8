"""One widget per file; each knows how to draw one thing and says what happened in messages."""
