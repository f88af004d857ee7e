"""The health endpoints show that a component works, not merely that something answers."""

from __future__ import annotations

import datetime as dt
import json

import psycopg
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from standfast.components.campaigns.api import Campaign, CampaignState, late_campaigns
from standfast.platform.heartbeat import Pulse, heartbeats
from standfast.platform.tenancy import account_scope
from standfast.services.application import health

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_kept():
    for one in (health._LOGIN, health._SENDS):
        one._until = 0.0


@pytest.fixture
def pulses(loader: psycopg.Connection):
    loader.execute("DELETE FROM heartbeat")
    loader.commit()
    return {name: Pulse(name) for name in health.WORKERS}


def test_people_can_sign_in():
    before = Session.objects.count()
    answer = Client().get("/healthz/application-login")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["component"] == "application-login" and body["ok"] is True
    assert [(check["name"], check["ok"]) for check in body["checks"]] == [
        ("page", True),
        ("database", True),
        ("sessions", True),
    ]
    assert Session.objects.count() == before
    assert not answer.cookies
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_session_store_that_cannot_be_written(monkeypatch):
    def refuse(_self):
        raise DatabaseError("could not write to host 10.0.0.1: secret")

    monkeypatch.setattr(SessionStore, "create", refuse)
    answer = Client().get("/healthz/application-login")
    assert answer.status_code == 503
    assert answer.json()["checks"][2] == {**answer.json()["checks"][2], "ok": False, "detail": "DatabaseError"}
    assert b"secret" not in answer.content and b"10.0.0.1" not in answer.content


def test_an_answer_is_kept_for_a_moment(monkeypatch):
    assert Client().get("/healthz/application-login").status_code == 200
    monkeypatch.setattr(SessionStore, "create", lambda _self: 1 / 0)
    health._LOGIN._until = float("inf")
    assert Client().get("/healthz/application-login").status_code == 200
    health._LOGIN._until = 0.0
    assert Client().get("/healthz/application-login").status_code == 503


def test_nobody_works(pulses):
    answer = Client().get("/healthz/campaign-sends")
    assert answer.status_code == 503
    assert answer.json()["checks"][0]["detail"] == "no sign of campaigns, consumers, sending within 30 s"


def test_one_kind_of_worker_is_silent(pulses, loader):
    for pulse in pulses.values():
        pulse.beat(loader)
    assert Client().get("/healthz/campaign-sends").status_code == 200
    loader.execute("UPDATE heartbeat SET at = at - interval '31 seconds' WHERE name = 'sending'")
    loader.commit()
    health._SENDS._until = 0.0
    answer = Client().get("/healthz/campaign-sends")
    assert answer.status_code == 503
    assert "no sign of sending within" in answer.json()["checks"][0]["detail"]


def test_late_campaigns_are_told(pulses, loader):
    for pulse in pulses.values():
        pulse.beat(loader, late_campaigns=2)
    answer = Client().get("/healthz/campaign-sends")
    assert answer.status_code == 503
    assert answer.json()["checks"][1]["detail"] == "2 due campaigns have not begun to leave"


def test_which_campaigns_are_late(cast):
    with account_scope(cast.account.pk):
        before = late_campaigns()
        for minutes, state in ((-3, "scheduled"), (-1, "scheduled"), (-3, "draft"), (3, "scheduled")):
            Campaign.objects.create(
                account_id=cast.account.pk,
                name=f"{state} {minutes}",
                state=CampaignState(state),
                send_at=timezone.now() + dt.timedelta(minutes=minutes),
            )
        assert late_campaigns() == before + 1


def test_a_pulse_beats_when_it_is_due(loader):
    pulse = Pulse("a test")
    assert pulse.due()
    pulse.beat(loader, note=json.dumps("x"))
    assert not pulse.due()
    with loader.cursor() as cursor:
        assert heartbeats(cursor)["a test"].detail == {"note": '"x"'}
    loader.execute("DELETE FROM heartbeat WHERE name = 'a test'")
    loader.commit()


def test_only_looking():
    assert Client().post("/healthz/application-login").status_code == 405
