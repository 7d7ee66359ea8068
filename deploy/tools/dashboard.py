"""Writes Grafana's dashboard, deploy/grafana/rollcall.json, from its rows, or checks that it is current.

python -m deploy.tools.dashboard            writes it
python -m deploy.tools.dashboard --check    fails when it is stale
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from deploy.tools.dashboard_rows import OURS, ROWS, Panel

FILE: Final = Path(__file__).resolve().parents[1] / "grafana" / "rollcall.json"

_WIDTH: Final = 24
"""Columns of Grafana's grid."""

_SCHEMA: Final = 39
"""Of Grafana 10."""

_SOURCE: Final = {"type": "prometheus", "uid": "${source}"}


def _drawn(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps = [{"color": colour, "value": value} for colour, value in panel.steps]
    options: dict[str, Any] = {
        "unit": panel.unit,
        "min": None if panel.most else 0,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.most is not None:
        options["max"] = panel.most
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": options, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for n, (expression, legend) in enumerate(panel.queries)
        ],
    }


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS:
        place = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place, "collapsed": False, "panels": []}
        )
        across = 4 if any(panel.kind == "stat" for panel in row) else 3
        width, height = _WIDTH // across, 8
        for n, panel in enumerate(row):
            place = {"x": n % across * width, "y": top + 1 + n // across * height, "w": width, "h": height}
            panels.append(_drawn(panel, len(panels) + 1, place))
        top += 1 + -(-len(row) // across) * height
    return panels


def _variable(name: str, label: str, values: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": values, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def dashboard() -> str:
    """The dashboard, as Grafana imports it."""
    whole = {
        "uid": "rollcall",
        "title": "Rollcall",
        "tags": ["rollcall", "livekit"],
        "schemaVersion": _SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-3h", "to": "now"},
        "refresh": "30s",
        "timezone": "",
        "templating": {
            "list": [
                {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}},
                _variable("job", "Rollcall", "label_values(rollcall_build_info, job)"),
                _variable("agent", "Agent", f"label_values(rollcall_promises_total{{{OURS}}}, agent)"),
            ]
        },
        "panels": _panels(),
    }
    return json.dumps(whole, indent=1) + "\n"


def main() -> int:
    if "--check" in sys.argv[1:]:
        if not FILE.exists() or FILE.read_text() != dashboard():
            sys.stderr.write("deploy/grafana/rollcall.json is stale; run `python -m deploy.tools.dashboard`.\n")
            return 1
        return 0
    FILE.write_text(dashboard())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
