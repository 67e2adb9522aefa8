"""The terminal face: Textual widgets over the services. No SQL, no planning; ``app.py`` is where to start reading."""
