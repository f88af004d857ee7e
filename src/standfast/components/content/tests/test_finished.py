"""Finished HTML: links over the tracker, a pixel at the end, everything else as it was."""

from urllib.parse import parse_qs, urlsplit

from standfast.components.content.finished import track_finished
from standfast.components.content.links import LinkSigner
from standfast.protocols.tokens import verify_link

SIGNER = LinkSigner("https://t.example.net", b"k" * 32, 7, 9)
HTML = """<html><body><!-- <a href="http://comment/">no</a> --><a class=x href='https://shop.example/?a=1&amp;b=2'>Buy</a>
<a href="mailto:a@b.example">mail</a> <a href="#top">top</a> <a name=x>n</a> {{ not liquid }}</body></html>"""


def track(html: str, **more: bool) -> str:
    return track_finished(html, signer=SIGNER, token="TOKEN", **{"opens": True, "clicks": True, **more})


def test_web_links_and_nothing_else():
    out = track(HTML)
    assert out.count("https://t.example.net/c/TOKEN/") == 1
    assert "/o/TOKEN.gif" in out and out.endswith("</body></html>")
    assert '<a href="http://comment/">' in out and 'href="mailto:a@b.example"' in out and 'href="#top"' in out
    assert "{{ not liquid }}" in out
    address = out.partition('href="https://t.example.net')[2].partition('"')[0].replace("&amp;", "&")
    query = parse_qs(urlsplit(address).query)
    [url], [signature] = query["u"], query["s"]
    assert url == "https://shop.example/?a=1&b=2"
    assert verify_link(b"k" * 32, account_id=7, send_id=9, link_id=1, url=url, signature=signature)


def test_only_what_is_asked_for():
    assert track(HTML, opens=False, clicks=False) == HTML
    assert "/c/" not in track(HTML, clicks=False)
    assert ".gif" not in track(HTML, opens=False)
    assert track(track(HTML, opens=False), opens=False) == track(HTML, opens=False)
