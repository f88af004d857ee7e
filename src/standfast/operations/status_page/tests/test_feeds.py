"""The feeds are well-formed, name stable ids, and bear any text; the calendar keeps to RFC 5545."""

import re
from xml.etree import ElementTree as Xml

import pytest

from standfast.operations.status_page import badge, feeds
from standfast.operations.status_page.edition import Edition
from standfast.operations.status_page.tests import scenes

ATOM = "{http://www.w3.org/2005/Atom}"


def edition(scene: str) -> Edition:
    the_map = scenes.a_map()
    return Edition(the_map, scenes.fold(the_map, scenes.SCENES[scene](the_map)), scenes.NOW)


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_both_feeds_list_the_same(scene):
    one = edition(scene)
    atom, rss = Xml.fromstring(feeds.atom(one)), Xml.fromstring(feeds.rss(one))
    ids = [entry.findtext(f"{ATOM}id") for entry in atom.findall(f"{ATOM}entry")]
    assert ids == [item.findtext("guid") for item in rss.findall("channel/item")]
    for entry in [atom, *atom.findall(f"{ATOM}entry")]:
        assert all(entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))
        assert entry.find(f"{ATOM}link").get("href").startswith("https://status.example.net/")


def test_an_entry_keeps_its_id_while_it_grows():
    the_map = scenes.a_map()
    steps = scenes.recovered(the_map)
    found = []
    for upto in (3, 4, len(steps)):
        document = Xml.fromstring(feeds.atom(Edition(the_map, scenes.fold(the_map, steps[:upto]), scenes.NOW)))
        entry = document.find(f"{ATOM}entry")
        found.append((entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}updated")))
    assert len({key for key, _ in found}) == 1 and len({at for _, at in found}) == 3


def test_hostile_text_stays_text():
    content = Xml.fromstring(feeds.atom(edition("flapping"))).find(f"{ATOM}entry").findtext(f"{ATOM}content")
    assert "<script" not in content and "&lt;script&gt;" in content


def test_control_characters_do_not_break_a_feed():
    the_map = scenes.a_map()
    steps = scenes.partial(the_map)
    steps[1][2]["title"] = steps[2][2]["body"] = "bell \x07 and \x00 nothing \ufffe"
    for make in (feeds.atom, feeds.rss):
        Xml.fromstring(make(Edition(the_map, scenes.fold(the_map, steps), scenes.NOW)))


def test_the_calendar_is_folded_and_escaped():
    the_map = scenes.a_map()
    steps = scenes.maintenance(the_map)
    steps[0][2]["title"] = "Größe; Höhe, Tiefe \\ " + "ü" * 80
    text = feeds.calendar(Edition(the_map, scenes.fold(the_map, steps), scenes.NOW))
    assert all(len(line) <= 75 for line in text.split(b"\r\n")) and b"\n" not in text.replace(b"\r\n", b"")
    unfolded = text.decode().replace("\r\n ", "")
    assert "SUMMARY:Größe\\; Höhe\\, Tiefe \\\\ " + "ü" * 80 in unfolded
    assert unfolded.count("BEGIN:VEVENT") == 3 and re.search(r"DTSTART:\d{8}T\d{6}Z", unfolded)


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_the_badge_is_a_picture(scene):
    assert Xml.fromstring(badge.svg(edition(scene))).tag.endswith("svg")
