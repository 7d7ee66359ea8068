"""Who an agent can be: the personas of a team, checked when the worker starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from worker.knowledge import Knowledge


class Provider(StrEnum):
    """Where a persona's models come from."""

    INFERENCE = "inference"
    OPENAI = "openai"
    REALTIME = "realtime"
    NONE = "none"


class Tool(StrEnum):
    """What a persona may do besides talking."""

    END_CALL = "end_call"
    TRANSFER = "transfer"
    LOOK_UP = "look_up"
    READ_CONTEXT = "read_context"


@dataclass(frozen=True, slots=True)
class Models:
    """The models of a persona; what is None is the worker's setting or the provider's usual one."""

    provider: Provider | None = None
    stt: str | None = None
    llm: str | None = None
    tts: str | None = None
    base_url: str | None = None
    """Of `openai` and `realtime`: a server that speaks OpenAI's API."""
    key_from: str | None = None
    """The environment variable that holds the key to it; None is OPENAI_API_KEY."""


@dataclass(frozen=True, slots=True)
class Persona:
    """One of them."""

    name: str
    instructions: str
    greeting: str | None = None
    """Said word for word; None leaves the words to the model."""
    knowledge: Knowledge = field(default_factory=Knowledge, compare=False, repr=False)
    tools: frozenset[Tool] = frozenset()
    transfer: Mapping[str, str] = field(default_factory=dict)
    """Agent names, and what each of them is there for."""
    voice: str | Mapping[Provider, str] | None = None
    """One for every provider, or by provider."""
    language: str | None = None
    """As BCP 47 writes it: `en`, `de-AT`."""
    models: Models = field(default_factory=Models)
    transcripts: bool = False
    """Whether what is said is sent to the orchestrator."""


@dataclass(frozen=True, slots=True)
class Personas:
    """All of them, and the one for whom nobody asked."""

    by_name: Mapping[str, Persona]
    default: Persona

    def named(self, name: str) -> Persona | None:
        """The persona of this name, whatever its case."""
        return self.by_name.get(name.strip().casefold())

    @property
    def names(self) -> tuple[str, ...]:
        """As they are written."""
        return tuple(persona.name for persona in self.by_name.values())

    def all(self) -> tuple[Persona, ...]:
        """In the order in which they are written."""
        return tuple(self.by_name.values())
