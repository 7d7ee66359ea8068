"""GET /runbook: what each cause and each alert means and what to do, from the tables in which they are explained."""

from html import escape
from typing import Final

from aiohttp import web

from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.core.alerts import runbook_anchor as alert_anchor
from orchestrator.core.causes import EXPLANATIONS, Cause, runbook_anchor

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rollcall: runbook</title>
</head>
<body>
<h1>Runbook</h1>
<p>Why an agent did not come, or was lost, and what to do. Each session names its cause.</p>
{causes}
<h1>Alerts</h1>
<p>What each type of alert says, how bad it is, and for how long it must have been so before anybody is told.</p>
{alerts}
</body>
</html>
"""

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}


async def get_runbook(request: web.Request) -> web.Response:  # noqa: ARG001  # the signature of a handler
    return web.Response(text=page(), content_type="text/html", headers=_HEADERS)


def page() -> str:
    return _PAGE.format(
        causes="\n".join(_section(cause) for cause in Cause), alerts="\n".join(_alert_section(kind) for kind in AlertType)
    )


def _section(cause: Cause) -> str:
    explained = EXPLANATIONS[cause]
    again = "Another attempt can help; Rollcall makes it." if explained.retryable else "Another attempt cannot help."
    lines = (explained.sentence.replace("{agent}", "the agent"), explained.fix.replace("{agent}", "the agent"), again)
    paragraphs = "\n".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<h2 id="{runbook_anchor(cause)}"><code>{cause}</code></h2>\n{paragraphs}'


def _alert_section(kind: AlertType) -> str:
    about = ABOUT[kind]
    when = "" if about.after is None else f" Told after {about.after:g} s."
    paragraphs = "\n".join(
        f"<p>{escape(line)}</p>" for line in (about.meaning, about.fix, f"Severity: {about.severity}.{when}")
    )
    return f'<h2 id="{alert_anchor(kind)}"><code>{kind}</code></h2>\n{paragraphs}'
