"""Each event arrives once, whatever is killed in between; what can never arrive is kept and counted."""

import threading
from pathlib import Path

import pytest

from standfast.platform.events import Event
from standfast.platform.ship import Records, Shipper
from standfast.platform.spool import Spool, read_node
from standfast.platform.spool_format import frame, segments
from standfast.protocols.event_record import encode_event

ALICE, CHARLIE = 1, 2


class Log:
    """An event log that keeps, as the database does, the last position of (node, account) with the events."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Event]] = []
        self.taken: dict[tuple[str, int], int] = {}
        self.fail_after: int | None = None
        self.calls = 0

    def append(self, account_id: int, node: str, records: Records) -> None:
        self.calls += 1
        if self.fail_after is not None and self.calls > self.fail_after:
            raise ConnectionError("the database is away")
        if any((event.data or {}).get("poison") for _, event in records):
            raise PoisonError
        for position, event in records:
            if position > self.taken.get((node, account_id), -1):
                self.events.append((account_id, event))
                self.taken[node, account_id] = position

    def numbers(self, account_id: int) -> list[int]:
        return [event.data["n"] for account, event in self.events if account == account_id and event.data]


class PoisonError(Exception):
    sqlstate = "22P05"


def event(number: int, account_id: int = ALICE, **data: object) -> bytes:
    return encode_event(account_id=account_id, at_us=number, kind="opened", data={"n": number, **data})


async def fill(directory: Path, payloads: list[bytes], segment_bytes_max: int = 2_000) -> None:
    spool = Spool(directory, segment_bytes_max=segment_bytes_max)
    for payload in payloads:
        await spool.append(payload)
    await spool.close()


def ship_all(shipper: Shipper) -> None:
    while shipper.ship_once():
        pass


async def test_everything_arrives_in_order_by_account_and_segments_go(tmp_path: Path) -> None:
    await fill(tmp_path, [event(number, account_id=1 + number % 2) for number in range(200)])
    log = Log()
    shipper = Shipper(directory=tmp_path, append=log.append)
    ship_all(shipper)
    assert log.numbers(ALICE) == list(range(0, 200, 2))
    assert log.numbers(CHARLIE) == list(range(1, 200, 2))
    assert len(segments(tmp_path)) == 1
    assert shipper.state.lag_bytes == 0
    assert shipper.state.shipped_count == 200


async def test_a_database_that_is_away_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standfast.platform.ship.BATCH_EVENTS", 20)
    await fill(tmp_path, [event(number, account_id=1 + number % 2) for number in range(100)])
    log = Log()
    for calls in (0, 1, 3, 1, 3):  # each time a new shipper, killed in the middle of a batch
        log.calls, log.fail_after = 0, calls
        with pytest.raises(ConnectionError):
            ship_all(Shipper(directory=tmp_path, append=log.append))
    log.fail_after = None
    (tmp_path / "shipped").unlink()  # the mark is only a short cut
    ship_all(Shipper(directory=tmp_path, append=log.append))
    assert log.numbers(ALICE) == list(range(0, 100, 2))
    assert log.numbers(CHARLIE) == list(range(1, 100, 2))


async def test_the_loop_waits_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standfast.platform.ship.RETRY_SECONDS_MIN", 0.01)
    await fill(tmp_path, [event(1)])
    log, stop = Log(), threading.Event()
    log.fail_after = 0
    shipper = Shipper(directory=tmp_path, append=log.append)
    thread = threading.Thread(target=shipper.run, kwargs={"stop": stop})
    thread.start()
    while log.calls < 3:
        stop.wait(0.01)
    assert "the database is away" in (shipper.state.last_error or "")
    log.fail_after = None
    while not log.events:
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert log.numbers(ALICE) == [1]


async def test_what_the_database_refuses_is_kept_and_the_rest_arrives(tmp_path: Path) -> None:
    await fill(tmp_path, [event(number, poison=number in {3, 17}) for number in range(30)])
    log = Log()
    shipper = Shipper(directory=tmp_path, append=log.append)
    ship_all(shipper)
    assert log.numbers(ALICE) == [number for number in range(30) if number not in {3, 17}]
    assert shipper.state.quarantined == {"refused": 2}
    assert len(list((tmp_path / "quarantine").iterdir())) == 2


async def test_damage_and_strangers_are_kept(tmp_path: Path) -> None:
    await fill(tmp_path, [event(1), b"not an event", event(2), event(3)], segment_bytes_max=10_000_000)
    path = segments(tmp_path)[0].path
    data = bytearray(path.read_bytes())
    data[len(frame(event(1))) + len(frame(b"not an event")) + 12] ^= 1
    path.write_bytes(data)
    log = Log()
    shipper = Shipper(directory=tmp_path, append=log.append)
    ship_all(shipper)
    assert log.numbers(ALICE) == [1, 3]
    assert shipper.state.quarantined == {"damaged": 1, "not_an_event": 1}


async def test_a_health_check_is_nobodys_event(tmp_path: Path) -> None:
    await fill(tmp_path, [event(1, account_id=0)])
    log = Log()
    ship_all(Shipper(directory=tmp_path, append=log.append))
    assert log.calls == 0


async def test_a_spool_made_anew_begins_at_its_beginning(tmp_path: Path) -> None:
    log = Log()
    shipper = Shipper(directory=tmp_path / "spool", append=log.append)
    assert not shipper.ship_once()
    await fill(tmp_path / "spool", [event(1)])
    ship_all(shipper)
    first = read_node(tmp_path / "spool")
    for segment in segments(tmp_path / "spool"):
        segment.path.unlink()
    await fill(tmp_path / "spool", [event(2)])
    assert read_node(tmp_path / "spool") != first
    ship_all(shipper)
    assert log.numbers(ALICE) == [1, 2]
