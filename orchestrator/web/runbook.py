"""GET /runbook: what each cause and each alert means and what to do, from the tables in which they are explained."""

import re
from collections.abc import Iterable
from html import escape
from typing import Final

from aiohttp import web

from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.core.alerts import runbook_anchor as alert_anchor
from orchestrator.core.causes import EXPLANATIONS, Cause, fix, runbook_anchor, sentence
from orchestrator.core.runbooks import AGENT, OF_ALERTS, OF_CAUSES, Runbook

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rollcall: runbook</title>
</head>
<body>
<h1>Runbook</h1>
<p>Why an agent did not come, or was lost, and what to do. Each session names its cause.
<code>support-18</code> stands for your room and <code>mary</code> for your agent.</p>
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

_CODE: Final = re.compile(r"`([^`]+)`")


async def get_runbook(request: web.Request) -> web.Response:  # noqa: ARG001  # the signature of a handler
    return web.Response(text=page(), content_type="text/html", headers=_HEADERS)


def page() -> str:
    return _PAGE.format(
        causes="\n".join(_section(cause) for cause in Cause), alerts="\n".join(_alert_section(kind) for kind in AlertType)
    )


def _section(cause: Cause) -> str:
    explained = EXPLANATIONS[cause]
    again = "Another attempt can help; Rollcall makes it." if explained.retryable else "Another attempt cannot help."
    lines = (sentence(cause, AGENT), fix(cause, AGENT), again)
    head = f'<h2 id="{runbook_anchor(cause)}"><code>{cause}</code></h2>'
    return "\n".join((head, *map(_paragraph, lines), *_steps(OF_CAUSES[cause])))


def _alert_section(kind: AlertType) -> str:
    about = ABOUT[kind]
    when = "" if about.after is None else f" Told after {about.after:g} s."
    lines = (about.meaning, about.fix, f"Severity: {about.severity}.{when}")
    head = f'<h2 id="{alert_anchor(kind)}"><code>{kind}</code></h2>'
    return "\n".join((head, *map(_paragraph, lines), *_steps(OF_ALERTS[kind])))


def _steps(runbook: Runbook) -> Iterable[str]:
    yield _paragraph(f"For callers: {runbook.callers}")
    yield f"<pre>{escape(chr(10).join(runbook.look))}</pre>"
    yield "<ol>" + "".join(f"<li>{_text(step)}</li>" for step in runbook.check) + "</ol>"
    yield _paragraph(f"To mend it: {runbook.mend}")
    yield _paragraph(f"Over when: {runbook.over}")
    yield _paragraph(f"Escalate: {runbook.escalate}")


def _paragraph(text: str) -> str:
    return f"<p>{_text(text)}</p>"


def _text(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
