"""The entries of rollcall.yaml under routes: which rooms, and which agents they should have; each checked by itself."""

import math
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from orchestrator.configuration.entries import Entry, Metadata
from orchestrator.core.patterns import PatternError, glob, regex


def _room_metadata(value: dict[str, Any]) -> dict[str, Any]:
    for path, wanted in value.items():
        if not isinstance(wanted, None | bool | int | float | str) or (isinstance(wanted, float) and not math.isfinite(wanted)):
            message = "it must be text, a number, true, false or null. Write a field of a nested object as {example}"
            raise PydanticCustomError("room_metadata", message, {"at": (path,), "example": f'"{path}.field": value'})
    return value


RoomMetadata = Annotated[
    dict[str, Any],
    Field(min_length=1),
    AfterValidator(_room_metadata),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }
    ),
]
"""Fields of the room's JSON metadata, nested ones by a dotted path, and the values that they must have."""


def _pattern(compile_pattern: Callable[[str], object]) -> AfterValidator:
    def check(value: str) -> str:
        try:
            compile_pattern(value)
        except PatternError as error:
            raise PydanticCustomError("pattern", "{error}", {"error": str(error)}) from None
        return value

    return AfterValidator(check)


_ONE_OR_ANY: Final[JsonDict] = {
    "oneOf": [{"required": ["agent"]}, {"required": ["any"]}],
    "dependentRequired": {"capabilities": ["any"], "region": ["any"]},
}


class RouteAgentEntry(Entry):
    """One agent of a route; or several of which one is to serve, chosen by what their workers announce."""

    model_config = ConfigDict(json_schema_extra=_ONE_OR_ANY)

    agent: str | None = None
    """Its name, under `agents`."""
    any: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """One serves: whose workers have all capabilities, are in the region and have room; of those who do alike, and where
    nothing is announced, the first. The others are its fallbacks, in that order; their own fallbacks are not added."""
    capabilities: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """What a worker must have announced that it can do; only with `any`."""
    region: str = ""
    """Where a worker should have announced that it is; only with `any`."""
    metadata: Metadata = Field(default_factory=dict)
    """Laid over the agent's own and the route's."""

    @property
    def names(self) -> tuple[str, ...]:
        """The agents that the entry itself names."""
        return self.any if self.any is not None else () if self.agent is None else (self.agent,)

    @model_validator(mode="after")
    def _one_or_any(self) -> "RouteAgentEntry":
        if self.agent is None and self.any is None:
            raise PydanticCustomError("route_agent", "it names no agent. Write agent: mary")
        if self.agent is not None and self.any is not None:
            raise PydanticCustomError("route_agent", "it has both agent and any. Keep one of them", {"at": ("any",)})
        for condition in ("capabilities", "region"):
            if self.any is None and getattr(self, condition):
                message = "it chooses between several, and there is one. Write any: [mary, tom]"
                raise PydanticCustomError("route_agent", message, {"at": (condition,)})
        return self


def _route_agent(value: Any) -> Any:
    return {"agent": value} if isinstance(value, str) else value


RouteAgent = Annotated[RouteAgentEntry, BeforeValidator(_route_agent, json_schema_input_type=str | RouteAgentEntry)]
"""A name alone, or a name with metadata."""


class RouteEntry(Entry):
    """Which rooms, and which agents they should have."""

    room: Annotated[str, _pattern(glob)] | None = None
    """A glob of the whole name; {part} binds a run of characters for metadata."""
    room_regex: Annotated[str, _pattern(regex)] | None = None
    """Python's, on the whole name; named groups bind. Not beside `room`."""
    room_metadata: RoomMetadata | None = None
    """Fields of the room's JSON metadata, nested ones by a dotted path, and the values that they must have."""
    agents: tuple[RouteAgent, ...]
    """All of them are placed; an empty list: the room needs none."""
    metadata: Metadata = Field(default_factory=dict)
    """Laid over the agents' own."""
    priority: int = Field(0, ge=-100, le=100)
    """Higher ones are dispatched first when there is a queue."""

    @model_validator(mode="after")
    def _one_pattern(self) -> "RouteEntry":
        if self.room is not None and self.room_regex is not None:
            raise PydanticCustomError("pattern", "it has both room and room_regex. Keep one of them", {"at": ("room_regex",)})
        return self
