"""Where the browser of the browser tests is; `make test` puts it there."""

from pathlib import Path

STARTER = Path(__file__).parent.parent / "var/tools/chromium/chromium"


def executable() -> Path:
    """Path for Playwright's `executable_path`. Raises RuntimeError where there is no browser: such a test fails."""
    if not STARTER.exists():
        raise RuntimeError(f"No Chromium at {STARTER}: run scripts/browser.sh")
    return STARTER
