"""Why people are skipped, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

WORDS = {
    "unsubscribed": "Unsubscribed from the lists",
    "suppressed_list": "On a list that is left out",
    "secure_list": "On a secure list that is left out",
    "do_not_mail:hard_bounce": "Address does not exist (bounced)",
    "do_not_mail:complaint": "Complained about spam",
    "do_not_mail:unsubscribe": "Unsubscribed from everything",
    "do_not_mail:import": "On your do-not-mail list (imported)",
    "do_not_mail:manual": "On your do-not-mail list",
    "do_not_mail:api": "On your do-not-mail list (by API)",
    "brand_do_not_mail:hard_bounce": "Address does not exist (bounced for this brand)",
    "brand_do_not_mail:complaint": "Complained about this brand's mail",
    "brand_do_not_mail:unsubscribe": "Unsubscribed from this brand",
    "brand_do_not_mail:import": "On this brand's do-not-mail list (imported)",
    "brand_do_not_mail:manual": "On this brand's do-not-mail list",
    "brand_do_not_mail:api": "On this brand's do-not-mail list (by API)",
}


def skipped_lines(skipped: Mapping[str, int]) -> list[tuple[str, int]]:
    """(reason in words, people), the most frequent first."""
    lines = [
        (WORDS.get(reason, reason.replace("_", " ").replace(":", ": ").capitalize()), n)
        for reason, n in skipped.items()
    ]
    return sorted(lines, key=lambda line: -line[1])
