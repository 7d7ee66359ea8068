"""`rollcall export`: sessions as the service tells them, one JSON a line."""

import sys
from collections.abc import Mapping

from orchestrator.client.paging import pages
from orchestrator.client.printing import console, show_json_line
from orchestrator.client.service import Service
from orchestrator.exits import ExitCode


def export_sessions(service: Service, filters: Mapping[str, str]) -> ExitCode:
    """All of the filters, newest first. Raises CommandFailed, also when some were written already."""
    count = 0
    for page in pages(service, filters):
        for session in page.told:
            show_json_line(session)
        count += len(page.told)
    if not sys.stdout.isatty():
        console(stderr=True).print(f"{count} sessions.")
    return ExitCode.OK
