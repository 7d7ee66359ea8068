"""axe-core: what people with a screen reader, a keyboard or weak eyes would stumble over. From npm, for tests alone."""

from __future__ import annotations

from typing import Any

from playwright.async_api import BrowserContext, Page

from tests.e2e.harness.child import REPOSITORY

SCRIPT = REPOSITORY / "deploy/page/node_modules/axe-core/axe.min.js"

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def bring_axe(context: BrowserContext) -> None:
    """Into every page of the context that is loaded from now on, past its policy."""
    await context.add_init_script(path=SCRIPT)


async def violations(page: Page) -> list[str]:
    """What is wrong with the page as it stands, each with where it is."""
    found: dict[str, Any] = await page.evaluate(
        "standards => axe.run(document, { runOnly: standards, resultTypes: ['violations'] })", STANDARDS
    )
    return [
        f"{violation['id']}: {violation['help']}: {', '.join(node['html'][:120] for node in violation['nodes'][:3])}"
        for violation in found["violations"]
    ]
