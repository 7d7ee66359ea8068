"""Which Helm checks the chart: the one that is named or installed, else one built here, once.

python -m deploy.tools.helm --path     print where it is; 1 when there is none
python -m deploy.tools.helm --build    see to it that there is one; without one, 1 under CI=true
"""

import sys
from typing import Final

from deploy.tools.go_program import GoProgram

VARIABLE: Final = "ROLLCALL_HELM"
"""Names a helm to use instead of any other."""

HELM: Final = GoProgram(
    name="helm",
    version="3.22.0",
    module="helm.sh/helm/v3/cmd/helm",
    variable=VARIABLE,
    how_to_get_one=(
        f"no helm: install one (https://helm.sh/docs/intro/install/), name one in {VARIABLE}, "
        "or install Go 1.26 and run `python3 -m deploy.tools.helm --build`"
    ),
    build_seconds=130,
)


if __name__ == "__main__":
    sys.exit(HELM.main())
