"""Every setting of the service, and how they are gathered, checked and explained."""

from orchestrator.settings.loading import load_configuration, load_settings
from orchestrator.settings.model import Configuration, Settings

__all__ = ["Configuration", "Settings", "load_configuration", "load_settings"]
