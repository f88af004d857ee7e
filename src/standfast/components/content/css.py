"""Style sheets moved into `style` attributes, for the mail programs that know nothing else."""

import re

import css_inline

from standfast.protocols.liquid import ContentError

# Rules that cannot be inlined (`@media`, `:hover`) stay in `<style>`. Nothing is loaded, from the network or from disk.
_INLINER = css_inline.CSSInliner(
    load_remote_stylesheets=False, keep_style_tags=True, remove_inlined_selectors=True, keep_link_tags=False
)
# The inliner compares each declaration that fits an element with those the element has: a few kilobytes of rules that fit
# everything, each with a property of its own, would keep it busy for hours.
WORK_MAX = 500_000_000
_SHEET = re.compile(r"<style\b[^<>]*>", re.IGNORECASE)
_PROPERTY = re.compile(r"([\w-]{1,60})\s{0,9}:")


def inline_css(html: str) -> str:
    """Inline an HTML document's style sheets. Raises ContentError."""
    declarations = _declarations(html)
    properties = min(declarations, len(set(_PROPERTY.findall(html))))
    if declarations * properties * html.count("<") > WORK_MAX:
        raise ContentError(
            0, "there are too many style rules for so many elements; shorten the style sheet, or do not write it into the elements"
        )  # fmt: skip
    try:
        inlined = _INLINER.inline(html)
    except css_inline.InlineError as error:
        raise ContentError(0, f"the style sheet cannot be inlined: {error}") from error
    if "<tbody" not in html.lower():
        # The parser opens one at the first row, which may stand inside of a loop.
        inlined = inlined.replace("<tbody>", "").replace("</tbody>", "")
    return inlined


def _declarations(html: str) -> int:
    """How many, or a few more, all style sheets hold."""
    lowered, count, done = html.lower(), 0, 0
    while found := _SHEET.search(html, done):
        end = lowered.find("</style", found.end())
        done = end if end >= 0 else len(html)
        count += html.count(":", found.end(), done)
    return count
