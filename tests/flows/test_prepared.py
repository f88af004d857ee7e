"""A start looks at migrations and static files only where something may have changed."""

import dataclasses

import psycopg
import pytest

from standfast import prepared
from standfast.platform import postgres

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def installation(database, transactional_db, tmp_path, monkeypatch):
    """The test's database under an installation of its own, prepared."""
    config = dataclasses.replace(database, var=tmp_path)
    owner = postgres.dsn(database, "owner")
    monkeypatch.setattr(postgres, "dsn", lambda *_: owner)
    (tmp_path / "static").mkdir()
    prepared.write(config, prepared.fingerprint(config), user=False)
    return config


def test_nothing_changed(installation):
    assert prepared.is_current(installation)
    assert not prepared.has_user(installation)
    prepared.write(installation, prepared.fingerprint(installation), user=True)
    assert prepared.is_current(installation) and prepared.has_user(installation)


def test_a_new_migration_a_gone_file_and_another_database_are_noticed(installation, monkeypatch):
    real = prepared.fingerprint
    monkeypatch.setattr(prepared, "fingerprint", lambda config: real(config) + "changed")
    assert not prepared.is_current(installation)
    monkeypatch.setattr(prepared, "fingerprint", real)
    with psycopg.connect(postgres.dsn(installation, "owner")) as owner:
        owner.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('x', '0001_later', now())")
        owner.commit()
        assert not prepared.is_current(installation)
        owner.execute("DELETE FROM django_migrations WHERE app = 'x'")
    assert prepared.is_current(installation)
    (installation.var / "static").rmdir()
    assert not prepared.is_current(installation)
    (installation.var / "static").mkdir()
    (installation.var / "prepared.json").write_text("[]")
    assert not prepared.is_current(installation)
