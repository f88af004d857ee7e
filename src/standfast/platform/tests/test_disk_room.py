"""A disk that fills up is told once, and once when it has room again."""

from collections import namedtuple

from standfast.platform import disk_room

Usage = namedtuple("Usage", "total used free")
GB = 1024**3


def test_a_full_disk_is_told_once_and_its_room_too(tmp_path, monkeypatch):
    free = 10 * GB
    monkeypatch.setattr(disk_room, "LOOK_SECONDS", 0)
    monkeypatch.setattr(disk_room.shutil, "disk_usage", lambda _: Usage(50 * GB, 50 * GB - free, free))
    room, told = disk_room.Room([tmp_path, tmp_path, tmp_path / "not yet"]), []
    room.look(told.append)
    assert told == []
    free = 5 * 1024**2
    for _ in range(3):
        room.look(told.append)
    assert len(told) == 1 and "nearly full: 5 MB" in told[0] and str(tmp_path) in told[0]
    free = 2 * GB
    for _ in range(3):
        room.look(told.append)
    assert len(told) == 2 and "has room again" in told[1]
