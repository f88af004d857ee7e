"""The lock files: every wheel by its hash, no address, nothing left out that pyproject.toml asks for."""

import json
import re
import tomllib

import pytest

from tests.rules.tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")


def locked(name: str) -> set[str]:
    return {match.lower() for match in re.findall(r"^([\w.-]+)==", (ROOT / name).read_text(), re.MULTILINE)}


@pytest.mark.parametrize("name", LOCKS)
def test_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^--|^-i ", text, re.MULTILINE), "options belong to the machine, not to the lock"
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    run = set(map(distribution, project["project"]["dependencies"]))
    build = {distribution(each) for each in groups["build"] if isinstance(each, str)}
    dev = {distribution(each) for each in groups["dev"] if isinstance(each, str)}
    assert not (run | build) - locked("requirements.lock"), "run `make lock`"
    assert not (run | build | dev) - locked("requirements-dev.lock"), "run `make lock`"


def distribution(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


@pytest.mark.parametrize("folder", ["islands", "tests/clients", "benchmarks/haraka"])
def test_locks_of_node_name_no_address(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "://" in str(package.get("resolved", ""))]
    assert all("integrity" in package or package.get("link") or not name for name, package in packages.items())
    assert "omit-lockfile-registry-resolved=true" in (ROOT / folder / ".npmrc").read_text()


def test_what_sets_a_machine_up_names_no_address() -> None:
    for name in (
        "Makefile",
        "pyproject.toml",
        ".ci/run",
        *(f"scripts/{path.name}" for path in (ROOT / "scripts").iterdir()),
    ):
        assert "://" not in (ROOT / name).read_text(), name
