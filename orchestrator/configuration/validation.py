"""What pydantic finds wrong, in sentences that name the fix and hold no value that could be a secret."""

import re
import types
from collections.abc import Mapping
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.configuration.problems import Finding, Location, did_you_mean, listed

_FEW: Final = 12
"""Names that a sentence can list."""

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("It is missing.", "Add it."),
    "string_type": ("It must be text.", "Write it in quotes."),
    "int_type": ("It must be a whole number.", ""),
    "int_parsing": ("It must be a whole number.", ""),
    "int_from_float": ("It must be a whole number.", ""),
    "float_type": ("It must be a number.", ""),
    "float_parsing": ("It must be a number.", ""),
    "bool_type": ("It must be true or false.", ""),
    "bool_parsing": ("It must be true or false.", ""),
    "dict_type": ("It must consist of keys with values.", ""),
    "model_type": ("It must consist of keys with values.", ""),
    "tuple_type": ("It must be a list.", "Begin each item with a dash, or write [a, b]."),
    "string_too_short": ("It is empty.", "Write something, or take it out."),
    "dict_too_short": ("It is empty.", "Write something, or take it out."),
    "too_short": ("It is empty.", "Write something, or take it out."),
}
"""By pydantic's error type: what is wrong, and the fix where the message alone does not say it."""


def findings_of(error: ValidationError, model: type[BaseModel]) -> list[Finding]:
    """Each error of a failed validation of `model`."""
    return [_finding(details, model) for details in error.errors(include_url=False)]


def unknown_key(location: Location, known: list[str]) -> Finding:
    """A key that nothing reads: most likely a typing error, which would have no effect, in silence."""
    name = str(location[-1])
    others = f"Known: {listed(known)}." if len(known) <= _FEW else "`rollcall config schema` lists them."
    return Finding(location, f'There is no setting "{name}" here.', did_you_mean(name, known) or others)


def _finding(details: ErrorDetails, model: type[BaseModel]) -> Finding:
    context = details.get("ctx", {})
    location = (*details["loc"], *context.get("at", ()))
    if details["type"] == "extra_forbidden":
        return unknown_key(location, _known_keys(model, location[:-1]))
    if location[-1:] == ("[key]",):
        # Of a mapping whose keys are a closed list. Where it stands is the key itself.
        return unknown_key(location[:-1], re.findall(r"'([^']*)'", context.get("expected", "")))
    if details["type"] in ("enum", "literal_error"):
        return _none_of(location, str(details["input"]), context["expected"])
    if details["type"] in _SENTENCES:
        return Finding(location, *_SENTENCES[details["type"]])
    message, dot, fix = details["msg"].removesuffix(".").partition(". ")
    message = message.replace("Input should be", "It must be")
    return Finding(location, f"{message[:1].upper()}{message[1:]}.", f"{fix}." if dot else "")


def _none_of(location: Location, written: str, expected: str) -> Finding:
    """A word that is none of a closed list. What was written is not repeated: it might have been meant for elsewhere."""
    known = re.findall(r"'([^']*)'", expected)
    if len(known) > _FEW and (meant := did_you_mean(written, known)):
        return Finding(location, "There is no such word here.", meant)
    return Finding(location, f"It must be {expected}.", did_you_mean(written, known))


def _known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that may stand at a location."""
    annotation: Any = model
    for part in location:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = annotation.model_fields[str(part)].annotation
        else:
            # Behind a key is the X of dict[str, X], in a list the X of tuple[X, ...].
            annotation = get_args(annotation)[1 if get_origin(annotation) is dict else 0]
        annotation = _bare(annotation)
    return [field.alias or name for name, field in annotation.model_fields.items()]


def _bare(annotation: Any) -> Any:
    """A type without what Annotated and `| None` put around it."""
    if hasattr(annotation, "__metadata__"):
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(argument for argument in get_args(annotation) if argument is not type(None)))
    return annotation
