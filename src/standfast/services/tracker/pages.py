"""The few pages of the tracker: readable on any screen, light and dark, without script, image or outside file."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import NamedTuple

_STYLE = (
    # the colours of the application's pages: from an e-mail's preferences one comes here, and back
    ":root{color-scheme:light dark;--ink:#1d1c19;--soft:#5d5a53;--paper:#fff;--ground:#f6f5f2;"
    "--line:#d5d2ca;--act:#0d6b58;--on:#fff}"
    "@media(prefers-color-scheme:dark){:root{--ink:#eceae4;--soft:#a9a69d;--paper:#1b1c1a;--ground:#131412;"
    "--line:#3d3e3a;--act:#4cb79b;--on:#0b1a16}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);"
    "color:var(--ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{width:100%;max-width:27rem;padding:2rem;background:var(--paper);border:1px solid var(--line);"
    "border-radius:.75rem;text-align:center}"
    "h1{margin:0 0 .5rem;font-size:1.375rem;line-height:1.3}p{margin:0 0 1.25rem;color:var(--soft);text-wrap:balance}"
    "p:last-child,form:last-child{margin-bottom:0}form{margin:0}"
    "button,.go{display:inline-block;width:100%;padding:.75rem 1rem;border:1px solid var(--act);border-radius:.5rem;"
    "background:var(--act);color:var(--on);font:inherit;font-weight:600;cursor:pointer;text-decoration:none}"
    "button.quiet{background:none;border-color:var(--line);color:var(--ink)}"
    "button:focus-visible,.go:focus-visible{outline:3px solid var(--act);outline-offset:2px}"
    ".where,h1{overflow-wrap:anywhere}.else{margin-top:1.25rem}a{color:inherit}a.go{color:var(--on)}"
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


class Letter(NamedTuple):
    """The message that a page is about: its token, and who sent it, as name and as the query that says so again."""

    token: str
    sender: str
    query: str

    @property
    def from_sender(self) -> str:
        """ " from Alice's shop", or nothing where the link does not say whose letter it was."""
        return f" from {escape(self.sender)}" if self.sender else ""

    def address(self, door: str, rest: str = "") -> str:
        """The address of a page about this message, for an attribute."""
        return escape(f"/{door}/{self.token}{rest}{self.query}")


def unsubscribe(letter: Letter) -> bytes:
    """Asks before anything changes: mail scanners follow links, and only a person presses a button."""
    return _page(
        f"Stop e-mails{letter.from_sender}?" if letter.sender else "Stop these e-mails?",
        f"<p>Press the button and no more mailings{letter.from_sender} will be sent to you.</p>"
        f'<form method="post" action="{letter.address("u")}"><input type="hidden" name="from" value="page">'
        '<button type="submit">Unsubscribe</button></form>',
    )


def unsubscribed(letter: Letter) -> bytes:
    """Says that it is done, with a way back for those who did not mean to."""
    return _page(
        "You are unsubscribed",
        f"<p>We have noted it, and no more mailings{letter.from_sender} will be sent to you. One that is already on "
        "its way may still arrive.</p>"
        f'<form method="post" action="{letter.address("u", "/undo")}">'
        '<button type="submit" class="quiet">I did not mean to</button></form>',
    )


def resubscribed(letter: Letter) -> bytes:
    """Says that the unsubscribe was taken back."""
    return _page(
        "You are still subscribed",
        f"<p>We have taken your unsubscribe back. You go on receiving e-mails{letter.from_sender} as before.</p>"
        f'<form method="post" action="{letter.address("u")}"><input type="hidden" name="from" value="page">'
        '<button type="submit" class="quiet">Unsubscribe after all</button></form>',
    )


def report_spam(letter: Letter) -> bytes:
    """Asks before the complaint is recorded, and offers what most people want instead."""
    return _page(
        "Report this e-mail as spam?",
        f"<p>Press the button if you never asked for e-mails{letter.from_sender}. The complaint is recorded against "
        "the sender, and no more will be sent to you.</p>"
        f'<form method="post" action="{letter.address("r")}"><button type="submit">Report as spam</button></form>'
        f'<p class="else"><a href="{letter.address("u")}">I asked for them once: only unsubscribe</a></p>',
    )


def reported(letter: Letter) -> bytes:
    """Says that the complaint is recorded."""
    return _page(
        "Thank you for telling us",
        f"<p>We have recorded your complaint, and no more e-mails{letter.from_sender} will be sent to you. One that is "
        "already on its way may still arrive.</p>",
    )


def busy(letter: Letter) -> bytes:
    """For a wish that could not be written down."""
    return _page(
        "Please try again in a minute",
        f"<p>We could not store your request about the e-mails{letter.from_sender} just now, so nothing has changed. "
        "Please go back and press the button again in a minute.</p>",
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
