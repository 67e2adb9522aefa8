"""The published JSON Schema of hand-written plans (draft 2020-12), made from the one table of operations.

It says what a reader can say without PostgreSQL's grammar: fields, types, bounds. ``docs/plan.schema.json`` is what
``wesley plan --dsl-schema`` prints; a test keeps it so.
"""

from __future__ import annotations

from typing import Any

from wesley_tui.dsl.document import COMPOUND, LIMITS, NOTE_LENGTH, REASON_LENGTH, TITLE_LENGTH, VERSION, is_part
from wesley_tui.dsl.shapes import fields_schema
from wesley_tui.dsl.vocabulary import DESCRIPTIONS, OPERATIONS
from wesley_tui.planner.plan import WAVE_NAMES

__all__ = ["SCHEMA_ID", "plan_schema"]

SCHEMA_ID = "https://wesley.dev/schema/plan-1.json"
_NOTE = {"type": "string", "maxLength": NOTE_LENGTH, "description": "For whoever reviews the step."}


def plan_schema() -> dict[str, Any]:
    definitions: dict[str, Any] = {name: _operation(name) for name in OPERATIONS}
    definitions |= {name: _compound(name) for name in COMPOUND}
    part = [name for name in OPERATIONS if is_part(name)]
    definitions |= {f"{name}.action": _part(name) for name in part}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "A plan for wesley",
        "description": "Waves of steps that change a PostgreSQL database; see docs/dsl.md.",
        "type": "object",
        "required": ["wesley_plan", "title", "reason", "waves"],
        "additionalProperties": False,
        "properties": {
            "$schema": {"type": "string"},
            "wesley_plan": {"const": VERSION, "description": "The version of this form."},
            "title": {"type": "string", "minLength": TITLE_LENGTH[0], "maxLength": TITLE_LENGTH[1]},
            "reason": {"type": "string", "minLength": REASON_LENGTH[0], "maxLength": REASON_LENGTH[1]},
            "waves": {
                "type": "array",
                "minItems": 1,
                "maxItems": len(WAVE_NAMES),
                "items": {"$ref": "#/$defs/wave"},
                "description": "In the order PLAN, EXPAND, BACKFILL, VALIDATE, CONTRACT, each once at most.",
            },
        },
        "$defs": {
            "wave": {
                "type": "object",
                "required": ["name", "steps"],
                "additionalProperties": False,
                "properties": {
                    "name": {"enum": list(WAVE_NAMES)},
                    "limits": _limits(),
                    "steps": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"oneOf": [_link(name) for name in (*OPERATIONS, *COMPOUND)]},
                    },
                },
            },
            **definitions,
        },
    }


def _link(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _limits() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"type": "integer", "minimum": least, "maximum": most, "description": meaning}
            for name, (least, most, meaning) in LIMITS.items()
        },
    }


def _operation(name: str) -> dict[str, Any]:
    word = OPERATIONS[name]
    forms = [fields_schema(template.fields(), DESCRIPTIONS) for template in word.templates]
    for form in forms:
        form["properties"] = {"op": {"const": name}, "note": _NOTE, **form["properties"]}
        form["required"] = ["op", *form["required"]]
    whole = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return {"description": word.meaning, **whole}


def _part(name: str) -> dict[str, Any]:
    """The same without the table, which ``alter_table`` names."""
    whole = _operation(name)
    for form in whole.get("anyOf", [whole]):
        form["properties"] = {field: schema for field, schema in form["properties"].items() if field != "table"}
        form["required"] = [field for field in form["required"] if field != "table"]
    return whole


def _compound(name: str) -> dict[str, Any]:
    meaning, fields = COMPOUND[name]
    schema = fields_schema(fields, DESCRIPTIONS)
    properties = {"op": {"const": name}, "note": _NOTE, **schema["properties"]}
    required = ["op", *schema["required"]]
    match name:
        case "backfill_sql":
            properties |= {
                "sql": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Exactly one statement; docs/dsl.md says what it may do.",
                },
                "batch_rows": {
                    "type": "integer",
                    "minimum": 10,
                    "maximum": 100_000,
                    "description": "Of the first batch.",
                },
                "repeat": {
                    "type": "boolean",
                    "description": "Pass after pass until no row meets the condition; left out, that is found out.",
                },
                "blocks": {"type": "boolean", "description": "Walk along blocks of a table that has no key."},
            }
        case "alter_table":
            parts = [_link(f"{item}.action") for item in OPERATIONS if is_part(item)]
            properties["actions"] = {"type": "array", "minItems": 1, "items": {"oneOf": parts}}
            required.append("actions")
        case "in_one_transaction":
            properties |= {
                "label": {
                    "type": "string",
                    "pattern": "^[a-z][a-z0-9_]{2,62}$",
                    "description": "What the step is called.",
                },
                "object": {"type": "string", "minLength": 1, "maxLength": 300, "description": "What is changed."},
                "steps": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"oneOf": [_link(item) for item in (*OPERATIONS, "alter_table")]},
                },
            }
            required.append("steps")
        case _:
            properties["tag"] = {"type": "string", "pattern": "^[0-9a-f]{8}$", "description": DESCRIPTIONS["tag"]}
    return {"description": meaning, **schema, "properties": properties, "required": required}
