"""What the unit tests share."""

from tests.logs import logs_go_where_they_went

__all__ = ["logs_go_where_they_went"]
