"""The two providers are started once for each test file; each test takes a pool that no other has touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from standfast.operations.failover.tests.ground import Providers, two_providers
from standfast.operations.log import Log

POOLS = 20


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    with two_providers(tmp_path_factory.mktemp("providers"), pools=POOLS) as both:
        yield both


@pytest.fixture(scope="module")
def _unused() -> list[str]:
    return [f"p{number}" for number in range(1, POOLS)]


@pytest.fixture
def pool(_unused: list[str]) -> str:
    return _unused.pop()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    one = Log(tmp_path / "operations.sqlite3")
    yield one
    one.close()
