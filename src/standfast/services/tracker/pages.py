"""The few pages of the tracker: readable on any screen, light and dark, without script, image or outside file."""

from base64 import b64encode
from hashlib import sha256
from html import escape

_STYLE = (
    ":root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6575;--paper:#fff;--ground:#f3f5f8;"
    "--line:#dde2ea;--act:#1f5fbf}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8ecf3;--soft:#a3adbd;--paper:#1b212b;--ground:#12161d;"
    "--line:#323b49;--act:#2f6fd6}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);"
    "color:var(--ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{width:100%;max-width:27rem;padding:2rem;background:var(--paper);border:1px solid var(--line);"
    "border-radius:.75rem;text-align:center}"
    "h1{margin:0 0 .5rem;font-size:1.375rem;line-height:1.3}p{margin:0 0 1.25rem;color:var(--soft)}"
    "p:last-child,form:last-child{margin-bottom:0}form{margin:0}"
    "button,.go{display:inline-block;width:100%;padding:.75rem 1rem;border:1px solid var(--act);border-radius:.5rem;"
    "background:var(--act);color:#fff;font:inherit;font-weight:600;cursor:pointer;text-decoration:none}"
    "button.quiet{background:none;border-color:var(--line);color:var(--ink)}"
    "button:focus-visible,.go:focus-visible{outline:3px solid var(--act);outline-offset:2px}"
    ".where{overflow-wrap:anywhere}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
HEADERS = [
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex, nofollow"),
]


def _page(title: str, body: str) -> bytes:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    ).encode()


def unsubscribe(token: str) -> bytes:
    """Asks before anything changes: mail scanners follow links, and only a person presses a button."""
    return _page(
        "Stop these e-mails?",
        "<p>Press the button and we will not send you this mailing again.</p>"
        f'<form method="post" action="/u/{escape(token)}"><input type="hidden" name="from" value="page">'
        '<button type="submit">Unsubscribe</button></form>',
    )


def unsubscribed(token: str) -> bytes:
    """Says that it is done, with a way back for those who did not mean to."""
    return _page(
        "You are unsubscribed",
        "<p>We have noted it, and no more of these e-mails will be sent to you. One that is already on its way may "
        "still arrive.</p>"
        f'<form method="post" action="/u/{escape(token)}/undo">'
        '<button type="submit" class="quiet">I did not mean to</button></form>',
    )


def resubscribed(token: str) -> bytes:
    """Says that the unsubscribe was taken back."""
    return _page(
        "You are still subscribed",
        "<p>We have taken your unsubscribe back. Nothing changes for you.</p>"
        f'<form method="post" action="/u/{escape(token)}"><input type="hidden" name="from" value="page">'
        '<button type="submit" class="quiet">Unsubscribe after all</button></form>',
    )


def busy_on_the_way_to(url: str) -> bytes:
    """For a click that could not be recorded: the way on stays open."""
    shown = escape(url)
    return _page(
        "One more step",
        "<p>We could not take note of your click just now. You can go on to the page yourself:</p>"
        f'<p class="where">{shown}</p><p><a class="go" rel="noreferrer nofollow" href="{shown}">Continue</a></p>',
    )


BUSY = _page(
    "Please try again in a minute",
    "<p>We could not store your request just now, so nothing has changed. Please come back to this page in a minute "
    "and try again.</p>",
)
BAD_LINK = _page(
    "This link does not work",
    "<p>It is incomplete, or it was changed on its way. Please open it from the e-mail itself, or copy the whole "
    "address.</p>",
)
NOT_FOUND = _page(
    "There is nothing here", "<p>The address may be incomplete. Please open the link from the e-mail.</p>"
)
NOTHING_HERE = _page("Nothing to see", "<p>This link is not meant for people. You can close this page.</p>")
