"""A release is whole, switched at once, and cheap when nothing happened; its pages stand alone."""

import gzip
import json
import re
import threading
from datetime import timedelta

import pytest

from standfast.operations.status_page import release
from standfast.operations.status_page.render import render
from standfast.operations.status_page.tests import scenes


def rendered(scene, folder, **page):
    the_map = scenes.a_map(**page)
    return render(the_map, scenes.fold(the_map, scenes.SCENES[scene](the_map)), folder, now=scenes.NOW)


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_pages_hold_nothing_inline_and_nothing_foreign(scene, tmp_path):
    made = rendered(scene, tmp_path)
    for path in made.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:(?!alert)", text), path
        for address in re.findall(r"<(?:img|script|iframe|link)[^>]*(?:src|href)=\"([^\"]*)\"", text):
            assert not address.startswith(("http", "//")), (path, address)
        assert "{{" not in text and "{%" not in text


def test_links_within_a_release_lead_somewhere(tmp_path):
    made = rendered("well", tmp_path)
    for path in made.rglob("*.html"):
        for address in re.findall(r"(?:href|src)=\"([^\"#]*)", path.read_text()):
            if not address or address.startswith(("http", "mailto:")):
                continue
            base = made if address.startswith("/") else path.parent
            target = (base / address.lstrip("/").partition("?")[0]).resolve()
            assert target.is_file() or (target / "index.html").is_file(), (path, address)


def test_the_front_page_is_light(tmp_path):
    made = rendered("outage", tmp_path, watched=True)
    size = sum(len(gzip.compress((made / name).read_bytes())) for name in ("index.html", "style.css", "page.js"))
    assert size < 60_000


def test_an_outage_is_told_with_its_promise(tmp_path):
    text = (rendered("outage", tmp_path) / "index.html").read_text()
    assert "Major system outage" in text and "All 12 components in all 5 clusters" in text
    assert "Next update by" in text and text.count('class="major_outage"') >= 60
    assert text.index("Identified</strong>") < text.index("Investigating</strong>")


def test_the_day_of_an_outage_that_is_on_is_not_called_quiet(tmp_path):
    text = (rendered("outage", tmp_path) / "index.html").read_text()
    past = text[text.index("The last 14 days") :]
    assert past.index("Root domain does not answer") < past.index("No incidents")
    assert "on for" in past


def test_hostile_text_is_shown_and_not_run(tmp_path):
    made = rendered("flapping", tmp_path)
    for name in ("index.html", "incidents/i3.html"):
        text = (made / name).read_text()
        assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text
        assert "<b>and its title" not in text


def test_a_postmortem_shows_only_once_published(tmp_path):
    the_map = scenes.a_map()
    steps = scenes.recovered(the_map, at=scenes.FAULT - timedelta(days=5))
    before = render(the_map, scenes.fold(the_map, steps[:-1]), tmp_path, now=scenes.NOW)
    assert "Postmortem" not in (before / "incidents/2026-09-30-1.html").read_text()
    after = render(the_map, scenes.fold(the_map, steps), tmp_path, now=scenes.NOW)
    assert "<h3>Summary</h3>" in (after / "incidents/2026-09-30-1.html").read_text()


def test_a_sign_of_life_touches_only_the_small_files(tmp_path):
    the_map = scenes.a_map()
    state = scenes.fold(the_map, scenes.recovered(the_map, at=scenes.FAULT - timedelta(days=5)))
    first = render(the_map, state, tmp_path, now=scenes.NOW)
    before = {path: path.stat().st_ino for path in first.rglob("*") if path.is_file()}
    again = render(the_map, state, tmp_path, now=scenes.NOW + timedelta(seconds=7))
    assert again == first
    changed = {str(path.relative_to(first)) for path, inode in before.items() if path.stat().st_ino != inode}
    assert changed == {
        "heartbeat.json", "index.html", "api/v2/summary.json", "api/v2/status.json", "api/v2/components.json",
        "api/v2/incidents/unresolved.json",
    }  # fmt: skip
    assert json.loads((first / "api/v2/status.json").read_bytes())["page"]["updated_at"].startswith(
        "2026-09-30T16:40:14"
    )
    assert "16:40:14" in (first / "index.html").read_text()


def test_an_outage_makes_its_figures_anew_each_minute(tmp_path):
    the_map = scenes.a_map()
    state = scenes.fold(the_map, scenes.outage(the_map))
    first = render(the_map, state, tmp_path, now=scenes.NOW)
    assert render(the_map, state, tmp_path, now=scenes.NOW + timedelta(minutes=1)) != first


def test_only_the_last_releases_are_kept_and_current_is_the_newest(tmp_path):
    the_map = scenes.a_map()
    names = []
    for day in range(9):
        made = render(the_map, scenes.fold(the_map), tmp_path, now=scenes.NOW + timedelta(days=day))
        names.append(made.name)
    assert names == [f"1-{number}" for number in range(1, 10)]
    assert len(list((tmp_path / "releases").iterdir())) == release.KEPT
    assert (tmp_path / "current").resolve() == made.resolve()


def test_a_failed_release_leaves_the_old_one(tmp_path, monkeypatch):
    first = rendered("empty", tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(release, "_write", full)
    with pytest.raises(OSError, match="No space"):
        rendered("outage", tmp_path)
    assert (tmp_path / "current").resolve() == first.resolve()
    assert [path.name for path in (tmp_path / "releases").iterdir()] == [first.name]


def test_a_reader_never_sees_half_a_release(tmp_path):
    """Somebody reads through `current` all the while that releases are switched: always a whole file, never none."""
    the_map = scenes.a_map()
    rendered("empty", tmp_path)
    stop, seen, wrong = threading.Event(), [0], []

    def read():
        while not stop.is_set():
            folder = release.current(tmp_path)
            try:
                text = (folder / "index.html").read_text()
            except OSError as error:
                wrong.append(error)
                continue
            seen[0] += 1
            if folder.name not in text or not text.endswith("</html>\n"):
                wrong.append(text[:200])

    thread = threading.Thread(target=read)
    thread.start()
    for day in range(15):
        render(the_map, scenes.fold(the_map), tmp_path, now=scenes.NOW + timedelta(days=day))
    stop.set()
    thread.join()
    assert seen[0] > 15 and not wrong
