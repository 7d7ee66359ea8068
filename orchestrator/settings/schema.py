"""The JSON schema of rollcall.yaml, with which editors complete and check it."""

from typing import Any

from orchestrator.settings.model import Configuration


def json_schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Configuration.model_json_schema(),
        "title": "rollcall.yaml",
    }
