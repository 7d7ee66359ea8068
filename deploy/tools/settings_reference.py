"""Writes docs/reference/settings.md from the models of the settings and of rollcall.yaml, or checks that it is current.

python -m deploy.tools.settings_reference            writes it
python -m deploy.tools.settings_reference --check    fails when it is stale
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.tools.generated import ROOT, cell, row, write_or_check
from orchestrator.configuration.environment import SECRET, variable
from orchestrator.settings.model import CLOUD_DEFAULTS, DEVELOPMENT_DEFAULTS, FILE_ONLY
from orchestrator.settings.schema import json_schema

DOCUMENT: Final = ROOT / "docs" / "reference" / "settings.md"

_HEAD: Final = """# Settings

A setting is a flag of `rollcall serve`, an environment variable, or a key of `rollcall.yaml`: the first of these that has it
counts. Where a variable may be in a file of its own (a mounted secret), its name with `_FILE` names that file. Durations are
written `500ms`, `6s`, `2m`, `1h`, `1d`, rates `200/s` or `600/m`, sizes `64KiB`. `rollcall config check` says what is wrong in
a file, by line; `rollcall config schema` prints the JSON schema for editors.

What `rollcall` commands and workers read to find a service is no setting of it: `ROLLCALL_URL`, `ROLLCALL_API_TOKEN` or
`ROLLCALL_API_TOKEN_FILE`.

Defaults for LiveKit Cloud (an address that ends in `.livekit.cloud`) are **assumed**: nobody has measured them there yet
(`tests/cloud`).

Generated from the models by `python -m deploy.tools.settings_reference`.

"""

_UNITS: Final = {"(ms|s|m|h|d)": "duration", "(s|m|h)": "rate", "(B|KiB|MiB)": "size"}
"""By what their patterns hold, the kinds of `configuration/values`."""

_SECONDS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_BYTES: Final = ((1024**2, "MiB"), (1024, "KiB"))

Schema = Mapping[str, Any]


def document() -> str:
    """The whole page."""
    whole = json_schema()
    lines = [_HEAD, "## All settings\n", "| setting | environment | unit or values | default | why |", "|---|---|---|---|---|"]
    for name, field in whole["properties"].items():
        environment = "only in the file" if name in FILE_ONLY else _environment(name)
        unit = _unit(field, whole)
        lines.append(row(f"`{name}`", environment, unit, _default(name, field, unit), _why(field)))
    for path, model in _blocks(whole):
        lines += ["", f"## `{path}`", "", cell(model.get("description", "")), ""]
        lines += ["| key | unit or values | default | what it is |", "|---|---|---|---|"]
        lines += [_row(name, field, model, whole) for name, field in model["properties"].items()]
    return "\n".join(lines) + "\n"


def undescribed() -> list[str]:
    """The keys of which nothing says what they are."""
    whole = json_schema()
    models = [("", whole), *_blocks(whole)]
    return [
        f"{path}.{name}"
        for path, model in models
        for name, field in model["properties"].items()
        if not _described(field, model, whole)
    ]


def _blocks(whole: Schema) -> Iterator[tuple[str, Schema]]:
    """Every model of the file once, where it is first found, with the path of keys that leads to it."""
    seen: set[str] = set()

    def within(model: Schema, path: str) -> Iterator[tuple[str, Schema]]:
        for name, field in model["properties"].items():
            for reference, suffix in _references(field):
                found = whole["$defs"][reference]
                if "properties" in found and reference not in seen:
                    seen.add(reference)
                    here = f"{path}{name}{suffix}"
                    yield here, found
                    yield from within(found, f"{here}.")

    yield from within(whole, "")


def _references(field: Schema, suffix: str = "") -> Iterator[tuple[str, str]]:
    """The models that a field holds, and what follows its name: `[]` in a list, `.<name>` in an object."""
    if "$ref" in field:
        yield field["$ref"].rpartition("/")[2], suffix
    for part in field.get("anyOf", ()):
        yield from _references(part, suffix)
    if isinstance(field.get("items"), Mapping):
        yield from _references(field["items"], "[]")
    if isinstance(field.get("additionalProperties"), Mapping):
        yield from _references(field["additionalProperties"], ".<name>")


def _row(name: str, field: Schema, model: Schema, whole: Schema) -> str:
    needed = name in model.get("required", ())
    unit = _unit(field, whole)
    default = "must be there" if needed else _written(field.get("default"), unit)
    return row(f"`{name}`", unit, default, _described(field, model, whole))


def _described(field: Schema, model: Schema, whole: Schema) -> str:
    """Its own words; of an agent's policy those of the setting of the same name; else those of the model behind it."""
    if field.get("description"):
        return _why(field)
    if model.get("title") == "PolicyEntry":
        return "As the setting of the same name, which is its default."
    for reference, _ in _references(field):
        if "properties" in whole["$defs"][reference]:
            return cell(whole["$defs"][reference].get("description", ""))
    return ""


def _why(field: Schema) -> str:
    return cell(field.get("description", "")).replace("<", "&lt;")


def _environment(name: str) -> str:
    return f"`{variable(name)}`" + (", `…_FILE`" if name in SECRET else "")


def _unit(field: Schema, whole: Schema) -> str:
    parts = [part for part in field.get("anyOf", [field]) if part.get("type") != "null"]
    for part in parts:
        for mark, unit in _UNITS.items():
            if part.get("pattern", "").rstrip("?$)").endswith(mark.rstrip("?$)")):
                return unit
    kinds = list(dict.fromkeys(_kind(part, whole) for part in parts))
    return f"{kinds[0]}; or a list" if kinds[1:] == [f"list of {kinds[0]}"] else " or ".join(kinds)


def _kind(part: Schema, whole: Schema) -> str:
    if "$ref" in part:
        return _kind(whole["$defs"][part["$ref"].rpartition("/")[2]], whole)
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    match part.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "integer" | "number":
            return "number" + _range(part)
        case "array":
            items = part.get("items", {})
            return f"list of {_unit(items, whole)}" if items else "list"
        case "object" if "properties" in part:
            return "block"
        case "object":
            return "object"
        case _:
            return "secret text" if part.get("writeOnly") else "text"


def _range(part: Schema) -> str:
    low, high = part.get("minimum"), part.get("maximum", part.get("exclusiveMaximum"))
    if high is not None:
        return f", {low} to {high}"
    return "" if low is None else f", {low} or more"


def _default(name: str, field: Schema, unit: str) -> str:
    text = _written(field.get("default"), unit)
    if name in CLOUD_DEFAULTS:
        text += f"; Cloud (assumed): `{CLOUD_DEFAULTS[name]}`"
    if name in DEVELOPMENT_DEFAULTS:
        text += f"; with `dev`: `{DEVELOPMENT_DEFAULTS[name]}`"
    return text


def _written(value: object, unit: str) -> str:
    match value:
        case None | "" | [] | {} | dict():
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float() if unit == "duration":
            size, letter = next(((size, letter) for size, letter in _SECONDS if value and value % size == 0), (1, "s"))
            return f"`{value / size:g}{letter}`"
        case int() | float() if unit == "rate":
            return f"`{value:g}/s`"
        case int() if unit == "size":
            size, letters = next(((size, letters) for size, letters in _BYTES if value % size == 0), (1, ""))
            return f"`{value // size}{letters}`"
        case _:
            return f"`{value}`"


def main() -> int:
    return write_or_check(DOCUMENT, document(), "deploy.tools.settings_reference")


if __name__ == "__main__":
    raise SystemExit(main())
