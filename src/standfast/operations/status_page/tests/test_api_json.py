"""/api/v2 has Statuspage's shapes in every state, and says what the page says."""

import json

import pytest

from standfast.operations.status_page import api_json
from standfast.operations.status_page.edition import Edition
from standfast.operations.status_page.tests import scenes
from standfast.operations.status_page.tests.statuspage_shapes import SHAPES


def made(name: str, **page):
    the_map = scenes.a_map(**page)
    edition = Edition(the_map, scenes.fold(the_map, scenes.SCENES[name](the_map)), scenes.NOW)
    return {path: json.loads(body) for path, body in api_json.files(edition).items()}


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_every_file_has_its_shape(scene):
    files = made(scene)
    assert set(files) == {f"api/v2/{name}.json" for name in SHAPES}
    for name, shape in SHAPES.items():
        shape.model_validate(files[f"api/v2/{name}.json"])


def test_an_outage_is_in_summary_and_status():
    files = made("outage", watched=True)
    summary = files["api/v2/summary.json"]
    assert summary["status"]["indicator"] == files["api/v2/status.json"]["status"]["indicator"] == "critical"
    leaves = [one for one in summary["components"] if not one["group"]]
    assert len(leaves) == 60 and {one["status"] for one in leaves} == {"major_outage"}
    incident = summary["incidents"][0]
    assert [update["status"] for update in incident["incident_updates"]] == ["identified", "investigating"]
    assert len(incident["components"]) == 60
    assert incident["started_at"] == "2026-09-30T16:29:26.000-04:00"


def test_what_nobody_monitors_is_never_called_up():
    files = made("empty")
    names = {one["name"] for one in files["api/v2/components.json"]["components"]}
    assert "REST API Service" in names and not names & {"FTP Server", "Journeys of data", "Live Content"}


def test_groups_are_clusters_and_list_their_members():
    components = made("partial")["api/v2/components.json"]["components"]
    groups = {one["name"]: one for one in components if one["group"]}
    by_id = {one["id"]: one for one in components}
    assert set(groups) == set(scenes.CLUSTERS)
    assert groups["CA1"]["status"] == "major_outage" and groups["EU1"]["status"] == "operational"
    assert all(by_id[key]["group_id"] == groups["CA1"]["id"] for key in groups["CA1"]["components"])
    assert len(by_id) == len(components)


def test_maintenance_is_upcoming_active_or_over():
    files = made("maintenance")
    rows = {key: [one["id"] for one in files[f"api/v2/scheduled-maintenances{key}.json"]["scheduled_maintenances"]]
            for key in ("", "/upcoming", "/active")}  # fmt: skip
    assert rows == {"": ["m2", "m1", "m0"], "/upcoming": ["m2"], "/active": ["m1"]}
    done = files["api/v2/scheduled-maintenances.json"]["scheduled_maintenances"][2]
    assert [step["status"] for step in done["incident_updates"]] == ["completed", "in_progress", "scheduled"]


def test_a_vetoed_incident_is_nowhere():
    the_map = scenes.a_map()
    steps = [
        *scenes.partial(the_map),
        (scenes.NOW, "post_vetoed", {"update": "i2-1", "author": "alice", "why": "test"}),
    ]
    files = api_json.files(Edition(the_map, scenes.fold(the_map, steps), scenes.NOW))
    assert all(b"i2" not in json.dumps(json.loads(body).get("incidents", [])).encode() for body in files.values())


def test_ids_are_stable_and_distinct():
    assert api_json.short_id("square", "a", "b") == api_json.short_id("square", "a", "b")
    assert api_json.short_id("square", "a", "b") != api_json.short_id("square", "b", "a")
