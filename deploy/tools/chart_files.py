"""Copies into the Helm chart what it may not reach outside of itself: Prometheus' rules and Grafana's dashboard.

python -m deploy.tools.chart_files            copies
python -m deploy.tools.chart_files --check    fails when a copy is stale
"""

import sys
from pathlib import Path
from typing import Final

_DEPLOY: Final = Path(__file__).resolve().parents[1]
_FILES: Final = _DEPLOY / "helm" / "rollcall" / "files"

COPIES: Final = {
    _DEPLOY / "prometheus" / "rules.yml": _FILES / "rules.yml",
    _DEPLOY / "grafana" / "rollcall.json": _FILES / "dashboard.json",
}


def main() -> int:
    stale = [copy for source, copy in COPIES.items() if not copy.exists() or copy.read_bytes() != source.read_bytes()]
    if "--check" in sys.argv[1:]:
        for copy in stale:
            sys.stderr.write(f"{copy.relative_to(_DEPLOY.parent)} is stale; run `make documents`.\n")
        return 1 if stale else 0
    for source, copy in COPIES.items():
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(source.read_bytes())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
