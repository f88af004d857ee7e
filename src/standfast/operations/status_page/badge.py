"""badge.svg: the overall state as a small picture that other pages may embed; and the page's own small icons."""

from __future__ import annotations

from django.utils.html import escape

from standfast.operations.status_page.edition import Edition

COLOURS = {
    "none": "#2f7d3a", "minor": "#96600a", "major": "#b8460e", "critical": "#bc3328", "maintenance": "#2862c4",
}  # fmt: skip
WORDS = {
    "none": "operational",
    "minor": "minor outage",
    "major": "partial outage",
    "critical": "major outage",
    "maintenance": "maintenance",
}
_CHARACTER = 6.6  # pixels that a letter of the badge's face takes on average; textLength holds the text to it


def svg(edition: Edition) -> bytes:
    indicator, words = edition.state.indicator()
    left, right = "status", WORDS[indicator]
    first, second = round(len(left) * _CHARACTER + 14), round(len(right) * _CHARACTER + 14)
    title = escape(f"{edition.the_map.page.name}: {words}")
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<clipPath id="r"><rect width="{first + second}" height="20" rx="4"/></clipPath>
<g clip-path="url(#r)"><rect width="{first}" height="20" fill="#45433d"/><rect x="{first}" width="{second}" height="20" \
fill="{COLOURS[indicator]}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{first / 2}" y="14" textLength="{first - 14}">{left}</text>
<text x="{first + second / 2}" y="14" textLength="{second - 14}">{right}</text>
</g></svg>
""".encode()


def icons() -> dict[str, bytes]:
    """A favicon for each overall state, so that an open tab shows it."""
    shape = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="14" fill="{}"/></svg>\n'
    )
    return {f"icon-{indicator}.svg": shape.format(colour).encode() for indicator, colour in COLOURS.items()}
