"""HTML that a program wrote and that has no Liquid in it: its links tracked, a pixel added, nothing else touched."""

from __future__ import annotations

import re
from html import escape, unescape

from standfast.components.content.links import LINKS_MAX, LinkSigner
from standfast.components.content.placeholders import TAG_REST

_ANCHOR = re.compile(rf"<!--.*?-->|<(?:a|area)\s{TAG_REST}>", re.DOTALL | re.IGNORECASE)
_HREF = re.compile(r"(?<=\s)href\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


def track_finished(html: str, *, signer: LinkSigner, token: str, opens: bool, clicks: bool) -> str:
    """The HTML with its http(s) links leading over the tracker and the pixel at its end. token: the sealed recipient."""
    if clicks:
        count = 0

        def anchor(tag: re.Match[str]) -> str:
            nonlocal count
            href = None if tag[0].startswith("<!--") else _HREF.search(tag[0])
            if href is None or count >= LINKS_MAX:
                return tag[0]
            value = unescape(next(each for each in href.groups() if each is not None)).strip()
            before, behind = signer.click_parts(count + 1, value)
            if behind is None or value.startswith(f"{signer.tracker_url}/"):
                return tag[0]
            count += 1
            return f'{tag[0][: href.start()]}href="{escape(before + token + behind)}"{tag[0][href.end() :]}'

        html = _ANCHOR.sub(anchor, html)
    if opens:
        pixel = f'<img src="{escape(signer.tracker_url)}/o/{token}.gif" width="1" height="1" alt="">'
        ends = list(_BODY_END.finditer(html))
        at = ends[-1].start() if ends else len(html)
        html = html[:at] + pixel + html[at:]
    return html
