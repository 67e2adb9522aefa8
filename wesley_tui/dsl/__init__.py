"""Plans that people write: JSON with typed, named fields, read into the same plans that the planner makes.

    text ──json_text──▶ values with places ──document──▶ waves of steps ──ops──▶ statements ──build──▶ Plan
    Plan ──write──▶ the same JSON

:mod:`.vocabulary` is the one table of operations: what each is called, which fields it has, and the SQL that it means.
The reader, the writer, the published JSON Schema (:mod:`.json_schema`) and the manual page follow from it.
"""
