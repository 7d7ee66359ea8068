"""personas.yaml: what may stand in it. What may not is refused with its file, its line, its key, and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from worker.knowledge import Knowledge, Passage, passages_of
from worker.personas import Models, Persona, Personas, Provider, Tool
from worker.yaml_lines import Document, Location, YamlError, read_yaml

PROMPTED_LENGTH = 32_768
"""Characters of knowledge that fit into a prompt; more of it wants `look_up`."""


class PersonasError(ValueError):
    """The file cannot be used; the message says where, why, and what to write instead."""


def _written_as_text(value: object) -> object:
    # YAML reads an unquoted no, 17 or 2026-01-01 as something else.
    if isinstance(value, bool | int | float):
        raise PydanticCustomError("not_text", "YAML reads this as a {kind}: put it in quotes", {"kind": type(value).__name__})
    return value


Text = Annotated[str, BeforeValidator(_written_as_text), StringConstraints(strip_whitespace=True, min_length=1)]
Language = Annotated[Text, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InlineEntry(_Entry):
    """Knowledge that stands in the file itself."""

    text: Text
    title: Text = "Notes"


class ModelsEntry(_Entry):
    """The `models` of a persona."""

    provider: Provider | None = None
    stt: Text | None = None
    llm: Text | None = None
    tts: Text | None = None
    base_url: Annotated[Text, StringConstraints(pattern=r"^https?://")] | None = None
    key_from: Annotated[Text, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _of_its_provider(self) -> Self:
        of_provider = {
            None: {"stt", "llm", "tts"},
            Provider.INFERENCE: {"stt", "llm", "tts"},
            Provider.OPENAI: {"stt", "llm", "tts", "base_url", "key_from"},
            Provider.REALTIME: {"llm", "base_url", "key_from"},
            Provider.NONE: set(),
        }[self.provider]
        strange = sorted(self.model_fields_set - {"provider"} - of_provider)
        if strange and self.provider is None:
            message = "`{key}` goes with one provider: write which, `provider: openai` or `provider: realtime`"
            raise PydanticCustomError("models", message, {"key": strange[0]})
        if strange:
            message = "the provider {provider} takes no `{key}`: remove it, or choose another provider"
            raise PydanticCustomError("models", message, {"provider": str(self.provider), "key": strange[0]})
        return self


class PersonaEntry(_Entry):
    """One persona."""

    instructions: Text
    greeting: Text | None = None
    knowledge: Text | list[Text | InlineEntry] = []
    tools: list[Tool] = []
    transfer: dict[Text, Text] = {}
    voice: Text | dict[Provider, Text] | None = None
    language: Language | None = None
    models: ModelsEntry = ModelsEntry()
    transcripts: bool = False

    @model_validator(mode="after")
    def _tools_have_what_they_need(self) -> Self:
        needs = (
            (Tool.TRANSFER, self.transfer, "transfer", "the agents, each with what it is there for"),
            (Tool.LOOK_UP, self.knowledge, "knowledge", "files or text to look things up in"),
        )
        for tool, given, key, meaning in needs:
            if tool in self.tools and not given:
                message = "the tool `{tool}` has nothing to work with: give `{key}` ({meaning}), or remove the tool"
                raise PydanticCustomError("tools", message, {"tool": str(tool), "key": key, "meaning": meaning})
        if self.transfer and Tool.TRANSFER not in self.tools:
            raise PydanticCustomError("tools", "it may not transfer: add `transfer` to its `tools`, or remove `transfer`")
        return self


class PersonasEntry(_Entry):
    """The file."""

    default: Text
    personas: Annotated[dict[Text, PersonaEntry], Field(min_length=1)]


def read_personas(path: Path) -> Personas:
    """The personas of this file; PersonasError, with one line for each thing that is wrong, if it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PersonasError(f"{path}: cannot be read ({error.strerror}): ROLLCALL_WORKER_PERSONAS names it") from error
    except UnicodeDecodeError as error:
        raise PersonasError(f"{path}: not UTF-8: save it as UTF-8") from error
    try:
        document = read_yaml(text)
    except YamlError as error:
        raise PersonasError(_line(path, error.line, error.reason)) from error
    try:
        entry = PersonasEntry.model_validate(document.data)
    except ValidationError as error:
        raise PersonasError("\n".join(_lines_of(error, path, document))) from error
    return _personas(entry, path, document)


def _personas(entry: PersonasEntry, path: Path, document: Document) -> Personas:
    by_name: dict[str, Persona] = {}
    for name, written in entry.personas.items():
        if name.casefold() in by_name:
            reason = f"personas.{name}: another one is called so, but for the case: rename one of the two"
            raise PersonasError(_line(path, document.line(("personas", name)), reason))
        by_name[name.casefold()] = _persona(name, written, path, document)
    default = by_name.get(entry.default.casefold())
    if default is None:
        reason = f"default: there is no persona {entry.default}: {_one_of(entry.default, entry.personas)}"
        raise PersonasError(_line(path, document.line(("default",)), reason))
    return Personas(by_name, default)


def _persona(name: str, entry: PersonaEntry, path: Path, document: Document) -> Persona:
    knowledge = Knowledge(_passages(name, entry, path, document))
    size = sum(len(passage.text) for passage in knowledge.passages)
    if Tool.LOOK_UP not in entry.tools and size > PROMPTED_LENGTH:
        reason = (
            f"personas.{name}.knowledge: {size} characters are too much for a prompt (at most {PROMPTED_LENGTH}): "
            "add `look_up` to its `tools`"
        )
        raise PersonasError(_line(path, document.line(("personas", name, "knowledge")), reason))
    return Persona(
        name=name,
        instructions=entry.instructions,
        greeting=entry.greeting,
        knowledge=knowledge,
        tools=frozenset(entry.tools),
        transfer=entry.transfer,
        voice=entry.voice,
        language=entry.language,
        models=Models(**dict(entry.models)),
        transcripts=entry.transcripts,
    )


def _passages(name: str, entry: PersonaEntry, path: Path, document: Document) -> Iterator[Passage]:
    if isinstance(entry.knowledge, str):
        yield from passages_of(entry.knowledge, name="Notes")
        return
    for number, piece in enumerate(entry.knowledge):
        if isinstance(piece, InlineEntry):
            yield from passages_of(piece.text, name=piece.title)
            continue
        file = path.parent / piece
        try:
            yield from passages_of(file.read_text(encoding="utf-8"), name=file.stem)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8"
            reason = (
                f"personas.{name}.knowledge.{number}: {piece} cannot be read ({why}): "
                f"a file's path is relative to {path.parent}, and text by itself is written `- text: …`"
            )
            raise PersonasError(_line(path, document.line(("personas", name, "knowledge", number)), reason)) from error


def _lines_of(error: ValidationError, path: Path, document: Document) -> Iterator[str]:
    problems = [(_without_branches(problem["loc"]), problem) for problem in error.errors(include_url=False)]
    problems.sort(key=lambda found: document.line(found[0]) or 0)
    for location, problem in problems:
        # Where text or something else could stand, the something else is not even nearly text.
        around = (where for where, other in problems if other is not problem and where[: len(location)] == location)
        if problem["type"] == "string_type" and any(around):
            continue
        key = ".".join(str(part) for part in location)
        yield _line(path, document.line(location), f"{key or 'the file'}: {_reason(problem, location)}")


def _without_branches(location: Location) -> Location:
    """Where in the file; pydantic adds which kind of value, of several that could stand there, it tried."""
    branches = {"str", "InlineEntry", "[key]"}
    return tuple(p for p in location if not (isinstance(p, str) and (p in branches or "[" in p)))


def _reason(problem: ErrorDetails, location: Location) -> str:
    match problem["type"]:
        case "extra_forbidden":
            # The file, `personas`, the persona's name, and in there `models`: each of the three has keys of its own.
            entries = (PersonasEntry, PersonasEntry, PersonaEntry, ModelsEntry)
            known = InlineEntry if "knowledge" in location else entries[min(len(location), len(entries)) - 1]
            return f"there is no such key: {_one_of(str(location[-1]), known.model_fields)}"
        case "enum":
            return f"there is no {problem['input']}: use {problem['ctx']['expected']}"
        case "too_short" | "string_too_short":
            return "it is empty: write something there, or leave it out"
        case "missing":
            return "it is missing: write it"
        case "string_pattern_mismatch":
            return _PATTERNS.get(str(location[-1]), "it is not written as it must be")
        case "model_type" | "dict_type" | "model_attributes_type":
            return "keys with values belong here, each on a line of its own: `key: value`"
        case "not_text" | "models" | "tools":
            return problem["msg"]
        case _:
            return problem["msg"][0].lower() + problem["msg"][1:]


_PATTERNS = {
    "language": "not a language: write it as `en` or `de-AT`",
    "base_url": "not an address: it begins with http:// or https://",
    "key_from": "not the name of an environment variable: name the variable, and never write the key itself here",
}


def _one_of(written: str, known: Iterable[str]) -> str:
    names = tuple(known)
    near = difflib.get_close_matches(written, names, n=1)
    return f"did you mean {near[0]}?" if near else f"use one of {', '.join(names)}"


def _line(path: Path, line: int | None, reason: str) -> str:
    return f"{path}:{line}: {reason}" if line else f"{path}: {reason}"
