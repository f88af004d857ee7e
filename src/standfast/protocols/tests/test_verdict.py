"""The reasons leave little doubt, and the doubtful count as people."""

import pytest

from standfast.protocols.verdict import PERSON, BurstWatch, Kind, Reason, Verdict, agent_reason, judge_click, judge_open

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE_MAIL = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
GOOGLE_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
CUBOT_PHONE = "Mozilla/5.0 (Linux; Android 9; CUBOT_NOTE) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0 Mobile"


def click(**change: object) -> Verdict:
    given = {
        "is_head": False, "agent": FIREFOX, "recipient": (1, 2, 3), "link": 1, "at": 1_000.0, "sent_at": 900,
        "bursts": BurstWatch(),
    }  # fmt: skip
    return judge_click(**{**given, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (FIREFOX, None),
        (IPHONE_MAIL, None),
        (CUBOT_PHONE, None),
        (GOOGLE_PROXY, Reason.IMAGE_PROXY),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", Reason.IMAGE_PROXY),
        ("Mozilla/5.0", Reason.PRIVACY_PROXY),
        ("", Reason.NO_AGENT),
        ("  ", Reason.NO_AGENT),
        ("curl/8.5.0", Reason.LIBRARY),
        ("python-requests/2.32.0", Reason.LIBRARY),
        ("Python/3.11 aiohttp/3.11", Reason.LIBRARY),
        ("Go-http-client/1.1", Reason.LIBRARY),
        ("Mozilla/5.0 (compatible; BarracudaCentral)", Reason.SCANNER),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Reason.BOT),
    ],
)
def test_agents(agent: str, reason: Reason | None) -> None:
    assert agent_reason(agent) is reason


def test_opens() -> None:
    assert judge_open(is_head=False, agent=FIREFOX, ip="192.0.2.1") is PERSON
    assert judge_open(is_head=True, agent=FIREFOX, ip="192.0.2.1").reason is Reason.HEAD
    assert judge_open(is_head=False, agent=FIREFOX, ip="17.58.1.2").reason is Reason.PRIVACY_PROXY
    assert judge_open(is_head=False, agent=GOOGLE_PROXY, ip="66.249.1.2").kind is Kind.MACHINE


def test_a_click_of_a_person() -> None:
    assert click() is PERSON


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_head": True}, Reason.HEAD),
        ({"link": 0}, Reason.HONEYPOT),
        ({"agent": "Wget/1.21"}, Reason.LIBRARY),
        ({"at": 901.5}, Reason.TOO_SOON),
    ],
)
def test_clicks_of_machines(change: dict[str, object], reason: Reason) -> None:
    verdict = click(**change)
    assert (verdict.kind, verdict.reason) == (Kind.MACHINE, reason)


def test_a_burst_is_several_links_of_one_recipient_at_once() -> None:
    bursts = BurstWatch()
    assert click(bursts=bursts, link=1) is PERSON
    assert click(bursts=bursts, link=1, at=1000.2) is PERSON  # the same link twice is an impatient finger
    assert click(bursts=bursts, link=2, at=1000.4).reason is Reason.BURST
    assert click(bursts=bursts, link=2, at=1000.4, recipient=(1, 2, 4)) is PERSON
    assert click(bursts=bursts, link=3, at=1001.9) is PERSON


def test_the_watch_is_bounded() -> None:
    bursts = BurstWatch(recipients_max=10)
    for seq in range(1000):
        bursts.is_burst((1, 1, seq), link=1, at=1.0)
    assert len(bursts._last) == 10
