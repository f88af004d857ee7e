"""From the spool into the real event log: once each, with the connection cut in the middle."""

from pathlib import Path

import psycopg
import pytest

from standfast.platform import postgres
from standfast.platform.events import append_from_source
from standfast.platform.ship import Records, Shipper
from standfast.platform.spool import Spool
from standfast.protocols.event_record import encode_event

ALICE, CHARLIE = 910_001, 910_002


class Loader:
    """Appends with one transaction a call; `cut_at` ends the server's side of the connection at that call."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.calls = 0
        self.cut_at: int | None = None

    def append(self, account_id: int, node: str, records: Records) -> None:
        self.calls += 1
        with psycopg.connect(self.dsn) as connection, connection.cursor() as cursor:
            append_from_source(cursor, account_id=account_id, node=node, records=records)
            if self.calls == self.cut_at:
                raise psycopg.OperationalError("the connection was cut before the commit")
        if self.cut_at is not None and self.calls == self.cut_at + 1:
            raise psycopg.OperationalError("the connection was cut after the commit")


async def fill(directory: Path, numbers: range, **data: object) -> None:
    spool = Spool(directory, segment_bytes_max=4_000)
    for number in numbers:
        account_id = (ALICE, CHARLIE)[number % 2]
        await spool.append(
            encode_event(account_id=account_id, at_us=number, kind="opened", data={"n": number, "ua": "a\0b", **data})
        )
    await spool.close()


def stored(loader: psycopg.Connection, account_id: int) -> list[int]:
    rows = loader.execute("SELECT data->>'n' FROM event WHERE account_id = %s ORDER BY position", [account_id])
    return [int(row[0]) for row in rows]


async def test_cut_connections_lose_and_double_nothing(
    tmp_path: Path, database: object, loader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standfast.platform.ship.BATCH_EVENTS", 25)
    await fill(tmp_path, range(100))
    target = Loader(postgres.dsn(database, "loader"))  # type: ignore[arg-type]
    for cut_at in (1, 2, 3):
        target.calls, target.cut_at = 0, cut_at
        shipper = Shipper(directory=tmp_path, append=target.append)
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError):
                while shipper.ship_once():
                    pass
    target.cut_at = None
    shipper = Shipper(directory=tmp_path, append=target.append)
    while shipper.ship_once():
        pass
    assert stored(loader, ALICE) == list(range(0, 100, 2))
    assert stored(loader, CHARLIE) == list(range(1, 100, 2))


async def test_what_postgresql_cannot_hold_does_not_stop_the_rest(
    tmp_path: Path, database: object, loader: psycopg.Connection
) -> None:
    spool = Spool(tmp_path)
    for number in range(5):
        # JSON in Python knows infinity, jsonb does not.
        data = {"n": number, "x": float("inf") if number == 2 else 1.5}
        await spool.append(encode_event(account_id=920_001, at_us=number, kind="opened", data=data))
    await spool.close()
    target = Loader(postgres.dsn(database, "loader"))  # type: ignore[arg-type]
    shipper = Shipper(directory=tmp_path, append=target.append)
    while shipper.ship_once():
        pass
    assert stored(loader, 920_001) == [0, 1, 3, 4]
    assert shipper.state.quarantined == {"refused": 1}
