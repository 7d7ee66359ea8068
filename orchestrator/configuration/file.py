"""Settings from the configuration file."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from orchestrator.configuration.document import Document, read

DEFAULT_FILE: Final = Path("rollcall.yaml")


def configured(config: Path | None) -> Document:
    """The file that is named, or the default one, which need not be there. Raises ConfigurationError."""
    if config is None and not DEFAULT_FILE.exists():
        return Document(str(DEFAULT_FILE))
    return read(config or DEFAULT_FILE)


def settings_in(document: Document, names: Collection[str]) -> dict[str, Any]:
    """What a file says of these settings. `routes:` with all behind it commented out says nothing."""
    return {name: value for name, value in document.data.items() if name in names and value is not None}


class FileSource(PydanticBaseSettingsSource):
    """The settings of the file that flags or environment name. Raises ConfigurationError."""

    def __init__(self, settings_cls: type[BaseSettings], names: Collection[str]) -> None:
        super().__init__(settings_cls)
        self._names = names

    def __call__(self) -> dict[str, Any]:
        config = self.current_state.get("config")
        return settings_in(configured(Path(config) if config else None), self._names)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return self().get(field_name), field_name, False
