"""One form per kind of CREATE statement: what can be said in several ways is said in one.

Works on libpg_query's JSON before it becomes a tree: clauses are sorted where their order means nothing, what is the
default goes, names of what is made become relations (so that ``public.f`` and ``f`` can be weighed), and what only says
*how* to create (OR REPLACE, IF NOT EXISTS, CASCADE) goes too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pglast.parser import ParseError, parse_sql_json

from wesley_tui.catalog.literals import literal_value
from wesley_tui.catalog.naming import multirange_name

__all__ = ["default_privileges", "normal_form", "partition_form"]

_Json = dict[str, Any]

_LARGEST = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}
_ALL_PRIVILEGES = {
    "OBJECT_TABLE": {"select", "insert", "update", "delete", "truncate", "references", "trigger"},
    "OBJECT_SEQUENCE": {"select", "update", "usage"},
    "OBJECT_FUNCTION": {"execute"},
    "OBJECT_TYPE": {"usage"},
    "OBJECT_SCHEMA": {"usage", "create"},
}
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_RELATIONS = frozenset(("relation", "view", "rel", "typevar", "sequence", "constrrel"))
_TYPES = frozenset(("argType", "returnType", "sourcetype", "targettype", "datatype"))


def normal_form(statement: Mapping[str, Any]) -> _Json:
    """The statement with all that is said above taken out of it. Raises ``KeyError`` and the like for a shape that the
    grammar does not make."""
    ((tag, body),) = statement.items()
    body = {key: value for key, value in _wrapped(body).items() if key not in ("replace", "if_not_exists")}
    form = _FORMS.get(tag)
    return {tag: form(body) if form is not None else body}


def _wrapped(node: Any) -> Any:
    """Relations and types that stand in a field of their own look like those in lists."""
    if isinstance(node, list):
        return [_wrapped(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for key, value in node.items():
        inner = _wrapped(value)
        if key in _RELATIONS and isinstance(inner, dict) and "relname" in inner:
            inner = {"RangeVar": inner}
        elif key in _TYPES and isinstance(inner, dict) and "names" in inner:
            inner = {"TypeName": inner}
        found[key] = inner
    return found


def _named(names: list[Any]) -> _Json:
    """A dotted name as a relation."""
    parts = _strings(names)
    return {"RangeVar": {"relname": parts[-1], **({"schemaname": parts[-2]} if len(parts) > 1 else {})}}


def _strings(nodes: Any) -> list[str]:
    return [node["String"].get("sval", "") for node in nodes or ()]


def _sorted(nodes: list[Any]) -> list[Any]:
    return sorted(nodes, key=lambda node: json.dumps(_without_places(node), sort_keys=True))


def _without_places(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_places(item) for item in node]
    if isinstance(node, dict):
        return {key: _without_places(value) for key, value in node.items() if "location" not in key}
    return node


def _options(nodes: list[Any] | None) -> dict[str, Any]:
    """DefElem nodes by name; of those that may repeat, the last."""
    return {node["DefElem"]["defname"].lower(): node["DefElem"].get("arg") for node in nodes or ()}


def _text(value: Any) -> str:
    """The value of an option as text: ``true`` where there is none, numbers and words alike."""
    match value:
        case None:
            return "true"
        case {"String": body} | {"A_Const": {"sval": body}}:
            text = str(body.get("sval", ""))
            return {"on": "true", "off": "false"}.get(text.lower(), text)
        case {"Integer": body} | {"A_Const": {"ival": body}}:
            return str(body.get("ival", 0))
        case {"Boolean": body} | {"A_Const": {"boolval": body}}:
            return "true" if body.get("boolval") else "false"
        case {"Float": body} | {"A_Const": {"fval": body}}:
            return str(body.get("fval", "0"))
        case {"TypeName": body}:
            return ".".join(_strings(body["names"]))
        case {"List": body}:
            return ", ".join(_text(item) for item in body["items"])
        case _:
            return json.dumps(_without_places(value), sort_keys=True)


def _parameters(nodes: list[Any] | None) -> list[Any]:
    found = []
    for node in nodes or ():
        parameter = {**node["FunctionParameter"]}
        if parameter.get("mode") == "FUNC_PARAM_DEFAULT":
            parameter["mode"] = "FUNC_PARAM_IN"
        if "defexpr" in parameter:
            # The server prints the cast to the type of the parameter where it needs one.
            kind = parameter["argType"]["TypeName"]
            parameter["defexpr"] = {"TypeCast": {"arg": parameter["defexpr"], "typeName": kind}}
        found.append({"FunctionParameter": parameter})
    return found


def _function(body: _Json) -> _Json:
    options = _options(body.get("options"))
    language = _text(options.pop("language", {"String": {"sval": "sql"}})).lower()
    result: _Json = {"funcname": _named(body["funcname"]), "language": language, "procedure": body.get("is_procedure")}
    result["parameters"] = parameters = _parameters(body.get("parameters"))
    returns = body.get("returnType")
    outputs = [
        item for item in parameters if item["FunctionParameter"]["mode"] in ("FUNC_PARAM_OUT", "FUNC_PARAM_INOUT")
    ]
    if returns is not None:
        kind = dict(returns["TypeName"])
        result["setof"] = kind.pop("setof", False)
        if not outputs:
            result["returns"] = {"TypeName": kind}
    else:
        result["setof"] = False
    usual_cost = "1" if language in ("c", "internal") else "100"
    usual = {
        *(("volatility", "volatile"), ("strict", "false"), ("security", "false"), ("leakproof", "false")),
        *(("cost", usual_cost), ("parallel", "unsafe"), ("window", "false"), ("rows", "1000"), ("rows", "0")),
    }
    source = options.pop("as", None)
    options.pop("set", None)
    texts = {name: _text(value).lower() for name, value in options.items()}
    result["options"] = [f"{name} {value}" for name, value in sorted(texts.items()) if (name, value) not in usual]
    result["settings"] = sorted(_settings(body.get("options")))
    if source is not None:
        result["source"] = _source(language, _strings(source["List"]["items"]))
    if body.get("sql_body") is not None:
        result["sql_body"] = body["sql_body"]
    return result


def _settings(options: list[Any] | None) -> Iterator[str]:
    for node in options or ():
        if node["DefElem"]["defname"] == "set":
            setting = node["DefElem"]["arg"]["VariableSetStmt"]
            values = [_text(value) for value in setting.get("args", ())]
            yield f"{setting['name'].lower()} {setting['kind']} {json.dumps(values)}"


def _source(language: str, parts: list[str]) -> Any:
    """The body as its author wrote it, but for line ends around it; one in SQL by what it says."""
    texts = [part.strip("\r\n") for part in parts]
    if language == "sql" and len(texts) == 1:
        try:
            return [_wrapped(item["stmt"]) for item in json.loads(parse_sql_json(texts[0])).get("stmts", ())]
        except (ParseError, ValueError):
            return texts
    return texts


def _view(body: _Json) -> _Json:
    options = {name: _text(value).lower() for name, value in _options(body.get("options")).items()}
    check = body.get("withCheckOption", "NO_CHECK_OPTION")
    if check != "NO_CHECK_OPTION":
        options["check_option"] = check.removesuffix("_CHECK_OPTION").lower()
    shown = [f"{name}={value}" for name, value in sorted(options.items()) if value != "false"]
    return {"view": body["view"], "query": _with_names(body["query"], body.get("aliases")), "options": shown}


def _table_as(body: _Json) -> _Json:
    into = body["into"]
    options = {name: _text(value).lower() for name, value in _options(into.get("options")).items()}
    return {
        "kind": body.get("objtype"),
        "rel": into["rel"],
        "query": _with_names(body["query"], into.get("colNames")),
        "options": [f"{name}={value}" for name, value in sorted(options.items())],
        "tablespace": into.get("tableSpaceName"),
        "method": into.get("accessMethod"),
        "empty": into.get("skipData", False),
    }


def _with_names(query: _Json, names: list[Any] | None) -> _Json:
    """The query with the column names of the view as names of its output."""
    if not names or "SelectStmt" not in query:
        return query
    select = {**query["SelectStmt"]}
    if "larg" in select:
        inner = _with_names({"SelectStmt": select["larg"]}, names)
        return {"SelectStmt": {**select, "larg": inner["SelectStmt"]}}
    targets = list(select.get("targetList", ()))
    for position, name in enumerate(_strings(names)):
        if position < len(targets):
            targets[position] = {"ResTarget": {**targets[position]["ResTarget"], "name": name}}
    return {"SelectStmt": {**select, "targetList": targets}}


def _trigger(body: _Json) -> _Json:
    result = {**body, "funcname": _named(body["funcname"]), "args": _strings(body.get("args"))}
    result["columns"] = sorted(_strings(body.get("columns")))
    result["transitionRels"] = _sorted(body.get("transitionRels", []))
    return result


def _sequence(body: _Json) -> _Json:
    options = _options(body.get("options"))
    kind = options["as"]["TypeName"]["names"][-1]["String"]["sval"] if options.get("as") else "int8"
    increment = int(_text(options["increment"])) if options.get("increment") else 1
    least, most = (1, _LARGEST[kind]) if increment > 0 else (-_LARGEST[kind] - 1, -1)
    minimum = int(_text(options["minvalue"])) if options.get("minvalue") else least
    maximum = int(_text(options["maxvalue"])) if options.get("maxvalue") else most
    start = int(_text(options["start"])) if options.get("start") else (minimum if increment > 0 else maximum)
    return {
        "sequence": body["sequence"],
        "unlogged": body["sequence"]["RangeVar"].get("relpersistence") == "u",
        "kind": kind,
        "numbers": [str(number) for number in (increment, minimum, maximum, start)],
        "cache": _text(options["cache"]) if options.get("cache") else "1",
        "cycle": _text(options["cycle"]) == "true" if "cycle" in options else False,
    }


def _extension(body: _Json) -> _Json:
    return {"extname": body["extname"]}


def _domain(body: _Json) -> _Json:
    name = _strings(body["domainname"])[-1]
    result: _Json = {
        "name": _named(body["domainname"]),
        "type": {"TypeName": body["typeName"]},
        "not_null": False,
        "checks": [],
    }
    if "collClause" in body:
        result["collation"] = _strings(body["collClause"]["collname"])[-1]
    taken = {item["Constraint"].get("conname") for item in body.get("constraints", ())}
    for item in body.get("constraints", ()):
        constraint = item["Constraint"]
        match constraint["contype"]:
            case "CONSTR_NOTNULL":
                result["not_null"] = True
            case "CONSTR_DEFAULT" if "isnull" not in constraint["raw_expr"].get("A_Const", {}):
                result["default"] = constraint["raw_expr"]
            case "CONSTR_CHECK":
                check = constraint.get("conname")
                if check is None:
                    candidates = (f"{name}_check{number or ''}" for number in range(len(taken) + 1))
                    check = next(candidate for candidate in candidates if candidate not in taken)
                    taken.add(check)
                result["checks"].append({"name": check, "expression": constraint["raw_expr"]})
    result["checks"].sort(key=lambda check: check["name"])
    return result


def _range(body: _Json) -> _Json:
    usual = multirange_name(_strings(body["typeName"])[-1])
    params = {
        key: value
        for key, value in _options(body.get("params")).items()
        if not (key == "multirange_type_name" and _text(value).rpartition(".")[2] == usual)
    }
    return {"name": _named(body["typeName"]), "params": [{"key": key, "value": params[key]} for key in sorted(params)]}


def _define(body: _Json) -> _Json:
    if body["kind"] != "OBJECT_AGGREGATE":
        return _definition(body)
    usual = {("parallel", "unsafe"), ("finalfunc_modify", "read_only"), ("mfinalfunc_modify", "read_only")}
    definition = []
    for key, value in sorted(_options(body.get("definition")).items()):
        if (key, _text(value).lower()) in usual:
            continue
        named = value if isinstance(value, dict) and "TypeName" in value else {"String": {"sval": _text(value)}}
        definition.append({"key": key, "value": named})
    arguments = []
    for part in body.get("args", ()):
        arguments.append(_parameters(part["List"]["items"]) if "List" in part else part)
    return {"kind": body["kind"], "name": _named(body["defnames"]), "args": arguments, "definition": definition}


def _definition(body: _Json) -> _Json:
    """An operator, a collation, a text search dictionary or configuration."""
    definition = []
    for key, value in sorted(_options(body.get("definition")).items()):
        named = body["kind"] == "OBJECT_OPERATOR" and isinstance(value, dict) and "TypeName" in value
        text = _text(value).removeprefix("pg_catalog.").removeprefix("pg_catalog, ")
        if (key, text.lower()) in (("provider", "libc"), ("deterministic", "true")):
            continue
        # CREATE OPERATOR takes FUNCTION and, as before version 11, PROCEDURE
        word = "function" if key == "procedure" else key
        definition.append({"key": word, "value": value if named else {"String": {"sval": text}}})
    definition.sort(key=lambda item: str(item["key"]))
    return {"kind": body["kind"], "name": _named(body["defnames"]), "definition": definition}


def _mapping(body: _Json) -> _Json:
    """Which dictionaries, in order, look up which kinds of words."""
    dictionaries = [_strings(item["List"]["items"]) for item in body.get("dicts", ())]
    shown = [parts[1:] if parts[0] == "pg_catalog" else parts for parts in dictionaries]
    return {
        "kind": body.get("kind"),
        "name": _named(body["cfgname"]),
        "tokens": sorted(_strings(body.get("tokentype"))),
        "dictionaries": [_named([{"String": {"sval": part}} for part in parts]) for parts in shown],
    }


def _operator_class(body: _Json) -> _Json:
    name, family = _strings(body["opclassname"]), _strings(body.get("opfamilyname"))
    return {
        **body,
        "opclassname": _named(body["opclassname"]),
        # Without a family it gets one of its own name.
        "opfamilyname": _named(body["opfamilyname"]) if family and family[-1] != name[-1] else None,
        "items": _sorted(body.get("items", [])),
    }


def _operator_family(body: _Json) -> _Json:
    return {**body, "opfamilyname": _named(body["opfamilyname"])}


def _statistics(body: _Json) -> _Json:
    kinds = sorted(_strings(body.get("stat_types")))
    columns = sorted(item["StatsElem"]["name"] for item in body["exprs"] if "name" in item["StatsElem"])
    expressions = [item["StatsElem"]["expr"] for item in body["exprs"] if "expr" in item["StatsElem"]]
    return {
        "name": _named(body["defnames"]) if "defnames" in body else None,
        "kinds": [] if kinds == ["dependencies", "mcv", "ndistinct"] else kinds,
        "columns": columns,
        "expressions": expressions,
        "relations": body["relations"],
    }


def _publication(body: _Json) -> _Json:
    options = {name: _text(value).lower() for name, value in _options(body.get("options")).items()}
    operations = sorted(part.strip() for part in options.pop("publish", "insert,update,delete,truncate").split(","))
    usual = {("publish_via_partition_root", "false"), ("publish_generated_columns", "none")}
    objects = []
    for item in body.get("pubobjects", ()):
        published = {**item["PublicationObjSpec"]}
        if "pubtable" in published:
            table = published["pubtable"]
            published["pubtable"] = {**table, "columns": sorted(_strings(table.get("columns")))}
        objects.append({"PublicationObjSpec": published})
    return {
        "pubname": body["pubname"],
        "all": body.get("for_all_tables", False),
        "operations": operations,
        "options": [f"{name}={value}" for name, value in sorted(options.items()) if (name, value) not in usual],
        "objects": sorted(objects, key=_published_name),
    }


def _published_name(item: _Json) -> str:
    published = item["PublicationObjSpec"]
    table = published.get("pubtable", {}).get("relation", {}).get("RangeVar", {})
    return str(published.get("name") or table.get("relname", ""))


def _event_trigger(body: _Json) -> _Json:
    tags = [tag for item in body.get("whenclause", ()) for tag in _strings(item["DefElem"]["arg"]["List"]["items"])]
    return {
        "trigname": body["trigname"],
        "eventname": body["eventname"],
        "tags": sorted(tag.upper() for tag in tags),
        "funcname": _named(body["funcname"]),
    }


def _composite(body: _Json) -> _Json:
    columns = []
    for item in body.get("coldeflist", ()):
        column = item["ColumnDef"]
        collation = _strings(column["collClause"]["collname"])[-1] if "collClause" in column else None
        columns.append({"name": column["colname"], "type": {"TypeName": column["typeName"]}, "collation": collation})
    return {"typevar": body["typevar"], "columns": columns}


def default_privileges(body: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Each privilege of an ALTER DEFAULT PRIVILEGES by itself; a full set of them is ``all``."""
    options = _options(body.get("options"))
    roles = [_role(item) for item in options.get("roles", {"List": {"items": []}})["List"]["items"]] or [""]
    schemas = _strings(options.get("schemas", {"List": {"items": []}})["List"]["items"]) or [""]
    action = body["action"]
    privileges = {item["AccessPriv"]["priv_name"].lower() for item in action.get("privileges", ())}
    if not privileges or privileges >= _ALL_PRIVILEGES.get(action["objtype"], {""}):
        privileges = {"all"}
    verb = "grant" if action.get("is_grant") else "revoke"
    option = "grant option" if action.get("grant_option") else ""
    for role in roles:
        for schema in schemas:
            for grantee in action["grantees"]:
                for privilege in sorted(privileges):
                    yield role, schema, action["objtype"], verb, privilege, _role(grantee), option


def partition_form(clause: Mapping[str, Any]) -> _Json:
    """A partition key or bound. In a bound by range, ``'2024-01-01'`` and ``'2024-01-01 00:00:00+00'`` are one point;
    in a list the order of values has no meaning."""
    form = dict(clause)
    if form.get("strategy") == "r":
        for side in ("lowerdatums", "upperdatums"):
            form[side] = [_point(datum) for datum in form.get(side, ())]
    if "listdatums" in form:
        form["listdatums"] = _sorted(form["listdatums"])
    return form


def _point(datum: _Json) -> _Json:
    text = datum.get("A_Const", {}).get("sval", {}).get("sval")
    if text is None or not _ISO_DATE.match(text):
        return datum
    return {"A_Const": {"sval": {"sval": literal_value(text, "timestamp with time zone")}}}


def _role(node: Mapping[str, Any]) -> str:
    role = node["RoleSpec"]
    return str(role.get("rolename") or role["roletype"])


_FORMS: Mapping[str, Callable[[_Json], _Json]] = {
    "AlterTSConfigurationStmt": _mapping,
    "CompositeTypeStmt": _composite,
    "CreateDomainStmt": _domain,
    "CreateEventTrigStmt": _event_trigger,
    "CreateExtensionStmt": _extension,
    "CreateFunctionStmt": _function,
    "CreateOpClassStmt": _operator_class,
    "CreateOpFamilyStmt": _operator_family,
    "CreatePublicationStmt": _publication,
    "CreateRangeStmt": _range,
    "CreateSeqStmt": _sequence,
    "CreateStatsStmt": _statistics,
    "CreateTableAsStmt": _table_as,
    "CreateTrigStmt": _trigger,
    "DefineStmt": _define,
    "ViewStmt": _view,
}
