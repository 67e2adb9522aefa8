"""The Textual face: app, screens, widgets, messages. No SQL, no planning."""
