"""The map that is shipped is good, and one that is not is refused with every reason at once."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from standfast.operations import commands
from standfast.operations import map as maps
from standfast.operations.map import MapError, Square
from standfast.operations.monitoring.probes import problems

EXAMPLE = Path(maps.__file__).with_name("example.toml")


def test_the_example_has_five_clusters_and_twelve_components_and_good_checks() -> None:
    example = maps.load(EXAMPLE)
    assert [cluster.name for cluster in example.clusters] == ["Cloud", "App", "Cloud1", "CA1", "EU1"]
    assert len(example.components) == 12
    assert len(example.squares) == 60
    assert problems(example.checks) == []
    assert Square("tracking", "eu1") in example.monitored
    assert Square("rest-api", "ca1") in example.monitored
    assert Square("journeys", "eu1") not in example.monitored


def bad(change) -> list[str]:  # type: ignore[no-untyped-def]
    table = tomllib.loads(EXAMPLE.read_text())
    change(table)
    with pytest.raises(MapError) as caught:
        maps.parse(table)
    return caught.value.problems


def test_every_problem_is_named_with_its_place() -> None:
    def break_it(table: dict) -> None:
        del table["page"]["name"]
        table["clusters"][1]["accounts"] = -1
        table["components"][0]["server"] = "mainframe"
        table["surprise"] = 1

    text = " | ".join(bad(break_it))
    for part in ("page.name", "clusters.1.accounts", "components.0.server", "surprise"):
        assert part in text


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda table: table.update(vantages=table["vantages"][:2]), "vantages"),
        (lambda table: table["clusters"].append(table["clusters"][0]), "twice"),
        (lambda table: table["checks"][-1].update(id="same"), "twice"),
        (lambda table: table["checks"][-1]["spec"].update(url="https://{nowhere}/"), "nowhere"),
        (lambda table: table["checks"][0].update(components=["typo"]), "typo"),
        (lambda table: table["checks"][0].update(pool="typo"), "typo"),
        (lambda table: table["page"].update(time_zone="Mars/Olympus"), "Mars/Olympus"),
        (lambda table: table["page"].update(url="status.example.net"), "page.url"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, word) -> None:  # type: ignore[no-untyped-def]
    assert any(word in problem for problem in bad(change))


def test_a_file_that_is_no_map_is_one_sentence_on_the_command_line(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "map.toml"
    path.write_text("[page\n")
    assert commands.main(["--map", str(path), "check"]) == 2
    assert "is not TOML" in capsys.readouterr().err
    assert commands.main(["--map", str(tmp_path / "none.toml"), "check"]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_orders_by_command_while_nothing_else_runs(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "map.toml"
    path.write_text(EXAMPLE.read_text())
    call = ["--map", str(path)]
    assert commands.main([*call, "open", "Slow sign-in", "--body", "We look into it.", "--cluster", "eu1"]) == 0
    incident = capsys.readouterr().out.strip()
    assert commands.main([*call, "post", incident, "--stage", "postmortem", "--body", "x"]) == 1
    assert "After “investigating” an update can be" in capsys.readouterr().err
    assert commands.main([*call, "post", incident, "--stage", "resolved", "--body", "Done."]) == 0
    assert commands.main([*call, "maintenance", "Disks", "--body", "x", "--from", "2030-01-01T00:00", "--to", "x"]) == 1
    assert "has no time zone" in capsys.readouterr().err
    assert commands.main([*call, "incidents"]) == 0
    assert "Slow sign-in" in capsys.readouterr().out
    assert commands.main([*call, "verify"]) == 0


def with_a_pool(**other: Any) -> dict[str, Any]:
    found = tomllib.loads(EXAMPLE.read_text())
    found["providers"] = [
        {"id": "one", "name": "One", "server": "192.0.2.9", "zone": "Example.com", "key_name": "k", "key_file": "k"}
    ]
    found["pools"] = [
        {"id": "root", "record": "example.com", "primary": ["192.0.2.1"], "standby": ["192.0.2.2"]} | other
    ]
    return found


def test_names_get_their_dot() -> None:
    the_map = maps.parse(with_a_pool())
    assert (the_map.pools[0].record, the_map.providers[0].zone) == ("example.com.", "example.com.")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"standby": ["nonsense"]}, "pools.0.standby.0: Value error, 'nonsense' is not an IP address"),
        ({"standby": ["2001:db8::1"]}, "pools: root: 2001:db8::1 cannot stand in an A record"),
        ({"standby": ["192.0.2.1"]}, "pools: root: its standby addresses are its primary ones"),
        ({"record": "example.org."}, "pools: root: no provider of the map serves example.org."),
        ({"record": "no spaces.com"}, "pools.0.record: Value error, 'no spaces.com' is not a domain name"),
    ],
)
def test_a_pool_that_could_not_be_moved_is_refused(other: dict[str, Any], words: str) -> None:
    with pytest.raises(MapError) as found:
        maps.parse(with_a_pool(**other))
    assert words in found.value.problems


@pytest.mark.parametrize(
    ("part", "given", "words"),
    [
        ("controller", {"port": "x"}, "controller.port: "),
        ("controller", {"anchor": ["192.0.2.1:53"]}, "controller.anchor: Extra inputs are not permitted"),
        ("controller", {"anchors": ["192.0.2.1"]}, "controller.anchors.0: Value error, '192.0.2.1' is not host:port"),
        ("status_page", {"desk_proxies": ["proxy"]}, "status_page.desk_proxies.0: "),
        ("mail", {"tls": "perhaps"}, "mail.tls: "),
        ("rules", {"votes_min": 9}, "rules.votes_min: 9 of "),
        ("rules", {"quiet_seconds": -1}, "rules.quiet_seconds: "),
    ],
)
def test_a_table_that_no_process_could_use_is_refused(part: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(MapError) as found:
        maps.parse({**tomllib.loads(EXAMPLE.read_text()), part: given})
    assert any(problem.startswith(words) for problem in found.value.problems), found.value.problems
