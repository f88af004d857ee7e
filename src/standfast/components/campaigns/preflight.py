"""Pre-flight: what must be right before a campaign may leave, each finding with what to do. Errors stop it, warnings do not.

The rules are those of Gmail, Yahoo and Microsoft for bulk senders (2024-2026) and of the content's compiler.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from standfast.components.audience.api import List, SecureList
from standfast.components.campaigns.models import Campaign
from standfast.components.campaigns.sources import compiled
from standfast.components.content.api import ContentError, Severity
from standfast.components.delivery import api as delivery
from standfast.protocols.address import AddressError, parse_address
from standfast.protocols.mime import HeaderError, encode_addresses


@dataclass(frozen=True)
class Finding:
    """`step` is where in the campaign it is mended: details, people, content, schedule; `place` says where else, if so:
    domains, settings (the account's) or editor (the content's)."""

    severity: Literal["error", "warning"]
    step: str
    what: str
    remedy: str
    line: int = 0
    place: str = ""


@dataclass
class Preflight:
    findings: list[Finding] = field(default_factory=list)
    audience: delivery.Audience | None = None
    links: int = 0
    lowered: bool = True

    @property
    def may_send(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    def error(self, step: str, what: str, remedy: str, line: int = 0, place: str = "") -> None:
        self.findings.append(Finding("error", step, what, remedy, line, place))

    def warn(self, step: str, what: str, remedy: str, line: int = 0, place: str = "") -> None:
        self.findings.append(Finding("warning", step, what, remedy, line, place))


def check(campaign: Campaign, *, people: bool = True, exact: bool = True) -> Preflight:
    """All checks, in the order of the campaign's steps; counts the audience, which takes seconds for a million (`exact=False`
    estimates that many, `people=False` leaves them out: a page on which they are being chosen counts them itself). In the
    account's scope."""
    result = Preflight()
    _check_sender(campaign, result)
    if people:
        _check_people(campaign, result, exact=exact)
    _check_content(campaign, result)
    return result


def _check_sender(campaign: Campaign, result: Preflight) -> None:
    if not campaign.name.strip():
        result.error("details", "The campaign has no name.", "Give it one, so that you find it again.")
    if not campaign.from_email.strip():
        result.error("details", "There is no From address.", "Enter an address of one of your sending domains.")
        return
    try:
        address = parse_address(campaign.from_email)
        encode_addresses("From", [(campaign.from_name, campaign.from_email)])
    except (AddressError, HeaderError) as error:
        result.error(
            "details", f"The From address cannot be used: {error}.", "Enter an address of your sending domain."
        )
        return
    domains = list(delivery.SendingDomain.objects.filter(account_id=campaign.account_id))
    aligned = [d for d in domains if address.domain == d.domain or address.domain.endswith("." + d.domain)]
    if not aligned:
        result.error(
            "details",
            f"{address.domain} is not one of your sending domains, so the mail could not be signed for it.",
            "Add the domain under Settings, Sending domains, or choose a From address of one you have.",
            place="domains",
        )
    route = delivery.Route.objects.filter(account_id=campaign.account_id).first()
    if aligned and route is not None and not route.to_inbox and not any(d.verified_at for d in aligned):
        result.error(
            "details",
            f"The DKIM record of {aligned[0].domain} has not been seen in DNS: Gmail, Yahoo and Microsoft refuse such bulk mail.",
            "Publish the records shown under Settings, Sending domains, and press Check.",
            place="domains",
        )
    if not (campaign.address or campaign.account.address).strip():
        result.error(
            "details",
            "There is no postal address.",
            "Enter one here or in the account's settings: the law asks for it.",
        )


def _check_people(campaign: Campaign, result: Preflight, *, exact: bool) -> None:
    chosen = [*campaign.list_ids, *campaign.suppressed_list_ids]
    known = set(List.objects.filter(account_id=campaign.account_id, pk__in=chosen).values_list("pk", flat=True))
    if not campaign.list_ids:
        result.error("people", "No list is chosen.", "Choose at least one list.")
        return
    if set(campaign.list_ids) - known:
        result.error("people", "A chosen list does not exist any more.", "Choose the lists again.")
        return
    if set(campaign.suppressed_list_ids) - known:
        result.error(
            "people",
            "A list whose people were to be left out does not exist any more: they would get this campaign.",
            "Choose the lists to leave out again.",
        )
        return
    if not _check_secure_lists(campaign, result):
        return
    _check_brand_of_lists(campaign, result)
    judge = delivery.count_audience if exact else delivery.estimate_audience
    result.audience = judge(
        account_id=campaign.account_id, list_ids=campaign.list_ids, suppressed_list_ids=campaign.suppressed_list_ids,
        secure_list_ids=campaign.secure_list_ids, brand_id=campaign.brand_id,
    )  # fmt: skip
    if result.audience.total == 0:
        result.error("people", "Nobody would get this campaign.", "Choose a list with subscribed people.")


def _check_secure_lists(campaign: Campaign, result: Preflight) -> bool:
    """Whether everybody on them can be left out."""
    chosen = SecureList.objects.filter(account_id=campaign.account_id, pk__in=campaign.secure_list_ids)
    found = list(chosen.only("name", "incomparable"))
    if len(found) < len(set(campaign.secure_list_ids)):
        result.error(
            "people",
            "A secure list whose people were to be left out does not exist any more: they would get this campaign.",
            "Choose the lists to leave out again.",
        )
        return False
    old = [one for one in found if one.incomparable]
    if old:
        result.error(
            "people",
            f"“{old[0].name}” has {old[0].incomparable:,} SHA-1 hashes, which cannot be compared with your people's "
            "addresses: they would get this campaign.",
            "Make a secure list of the MD5 or SHA-256 hashes, and choose that.",
        )
    return not old


def _check_brand_of_lists(campaign: Campaign, result: Preflight) -> None:
    """Whoever unsubscribes leaves the lists of the mail's brand, and no others."""
    chosen = List.objects.filter(account_id=campaign.account_id, pk__in=campaign.list_ids).order_by("name")
    strange = [one for one in chosen if one.brand_id != campaign.brand_id]
    if strange:
        belongs = "belongs to another brand than" if strange[0].brand_id else "belongs to no brand, unlike"
        result.warn(
            "people",
            f"“{strange[0].name}” {belongs} this campaign: who unsubscribes from this mail stays on it.",
            "Give list and campaign the same brand, or go on if this is what you want.",
        )


def _check_content(campaign: Campaign, result: Preflight) -> None:
    if campaign.content is None:
        result.error("content", "No content is chosen.", "Choose or write one.")
        return
    if not (campaign.subject or campaign.content.subject).strip():
        result.error("content", "There is no subject.", "Write one here or in the content.", place="editor")
    try:
        program = compiled(campaign)
    except ContentError as error:
        result.error(
            "content", f"The content has an error: {error.reason}.", "Mend it in the editor.", error.line, "editor"
        )
        return
    result.links = len(program.links)
    result.lowered = program.lowered
    for problem in program.problems:
        if problem.severity == Severity.NOTE:
            continue  # of interest to who writes, no matter before a send
        add = result.error if problem.severity == Severity.ERROR else result.warn
        add("content", problem.what, problem.remedy, problem.line, "editor")
