"""Style sheets moved into `style` attributes, for the mail programs that know nothing else."""

import css_inline

from standfast.protocols.liquid import ContentError

# Rules that cannot be inlined (`@media`, `:hover`) stay in `<style>`. Nothing is loaded, from the network or from disk.
_INLINER = css_inline.CSSInliner(
    load_remote_stylesheets=False, keep_style_tags=True, remove_inlined_selectors=True, keep_link_tags=False
)


def inline_css(html: str) -> str:
    """Inline an HTML document's style sheets. Raises ContentError."""
    try:
        inlined = _INLINER.inline(html)
    except css_inline.InlineError as error:
        raise ContentError(0, f"the style sheet cannot be inlined: {error}") from error
    if "<tbody" not in html.lower():
        # The parser opens one at the first row, which may stand inside of a loop.
        inlined = inlined.replace("<tbody>", "").replace("</tbody>", "")
    return inlined
