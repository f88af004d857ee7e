"""The team: inviting, joining, roles, leaving; and what Charlie may do, which is nothing."""

from __future__ import annotations

import datetime as dt
import re
import threading

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from tests.visitors import signed_in

from standfast.components.accounts import members
from standfast.components.accounts.models import Invitation, Membership, Role, User
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def team_url(cast, rest=""):
    return f"/accounts/{cast.account.pk}/team/{rest}"


def invited(cast, email="dora@example.com", role="member") -> str:
    """Invite through the page; returns the link's path."""
    answer = signed_in(cast.alice).post(team_url(cast), {"email": email, "role": role}, follow=True)
    return re.search(r"/join/[^\s<]+", answer.content.decode()).group(0)


def role_of(cast, user):
    with account_scope(cast.account.pk):
        return Membership.objects.filter(account=cast.account, user=user).values_list("role", flat=True).first()


def test_a_new_person_joins_by_the_link_which_is_shown_once_and_mailed(cast):
    email = f"dora-{cast.account.pk}@example.com"
    link = invited(cast, email, "reader")
    assert link not in signed_in(cast.alice).get(team_url(cast)).content.decode()
    assert mail.outbox[-1].to == [email]
    assert link in mail.outbox[-1].body

    dora = Client()
    assert email in dora.get(link).content.decode()
    weak = dora.post(link, {"name": "Dora", "password": "password12"})
    assert "too common" in weak.content.decode()
    answer = dora.post(link, {"name": "Dora", "password": "correct horse battery"})
    assert answer.url == f"/accounts/{cast.account.pk}/"
    assert role_of(cast, User.objects.get(email=email)) == Role.READER
    assert dora.get(team_url(cast)).status_code == 200
    assert Client().get(link).status_code == 410


def test_a_mail_server_that_is_away_does_not_lose_the_invitation(cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    answer = signed_in(cast.alice).post(team_url(cast), {"email": "eva@example.com", "role": "member"}, follow=True)
    shown = answer.content.decode()
    assert "could not be mailed" in shown
    link = re.search(r"/join/[^\s<]+", shown).group(0)
    assert Client().get(link).status_code == 200


def test_somebody_with_a_sign_in_joins_as_who_they_are(cast):
    link = invited(cast, cast.charlie.email)
    assert f"/login/?next={link}" in Client().get(link).content.decode()
    charlie = signed_in(cast.charlie)
    assert cast.charlie.email in charlie.get(link).content.decode()
    assert role_of(cast, cast.charlie) is None  # looking is not joining
    assert charlie.post(link).status_code == 302
    assert role_of(cast, cast.charlie) == Role.MEMBER


def test_an_invitation_never_changes_the_role_of_a_member(cast):
    link = invited(cast)
    assert signed_in(cast.alice).post(link).status_code == 302
    assert role_of(cast, cast.alice) == Role.ADMIN


def test_a_link_that_was_taken_back_replaced_or_is_old_has_ended(cast):
    first = invited(cast)
    second = invited(cast)
    assert Client().get(first).status_code == 410
    with account_scope(cast.account.pk):
        invitation = Invitation.objects.get(account=cast.account, accepted_at=None)
    signed_in(cast.alice).post(team_url(cast, f"invitations/{invitation.pk}/revoke"))
    assert Client().get(second).status_code == 410
    third = invited(cast)
    with account_scope(cast.account.pk):
        Invitation.objects.filter(account=cast.account).update(expires_at=dt.datetime.now(dt.UTC))
    assert Client().get(third).status_code == 410


def test_a_link_of_one_account_does_not_open_another(cast):
    link = invited(cast)
    token = link.rpartition("/")[2]
    assert signed_in(cast.charlie).post(f"/join/{cast.other.pk}/{token}").status_code == 410


def test_whoever_is_on_the_team_is_not_invited_again(cast):
    answer = signed_in(cast.alice).post(team_url(cast), {"email": cast.bob.email.upper(), "role": "admin"})
    assert "is on the team already" in answer.content.decode()


def test_invitations_are_no_way_to_fill_a_strangers_mailbox(cast, monkeypatch):
    monkeypatch.setattr(members, "INVITED_AN_HOUR_MAX", 3)
    cache.clear()
    alice, dora = signed_in(cast.alice), {"email": "dora@example.com", "role": "member"}
    answers = [alice.post(team_url(cast), dora).status_code for _ in range(5)]
    assert answers == [302, 302, 302, 200, 200] and len(mail.outbox) == 3
    assert "Invite the next ones later" in alice.post(team_url(cast), dora).content.decode()
    with account_scope(cast.account.pk):
        assert Invitation.objects.filter(account=cast.account).count() == 1, "the last one stays open"
    cache.clear()


def test_the_last_administrator_stays(cast):
    alice = signed_in(cast.alice)
    for rest, data in (("leave", {}), (f"{cast.alice.pk}/remove", {}), (f"{cast.alice.pk}/role", {"role": "member"})):
        answer = alice.post(team_url(cast, rest), data, follow=True)
        assert "only administrator" in answer.content.decode()
    assert role_of(cast, cast.alice) == Role.ADMIN
    alice.post(team_url(cast, f"{cast.bob.pk}/role"), {"role": "admin"})
    assert alice.post(team_url(cast, "leave")).status_code == 302
    assert alice.get(team_url(cast)).status_code == 404
    assert role_of(cast, cast.bob) == Role.ADMIN


def test_two_administrators_who_step_down_at_once_leave_one(cast):
    with account_scope(cast.account.pk):
        members.set_role(account_id=cast.account.pk, user_id=cast.bob.pk, role=Role.ADMIN)
    together = threading.Barrier(2)

    def step_down(user):
        try:
            together.wait()
            with account_scope(cast.account.pk):
                members.set_role(account_id=cast.account.pk, user_id=user.pk, role=Role.READER)
        except members.MembershipRefused:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=step_down, args=(user,)) for user in (cast.alice, cast.bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([role_of(cast, cast.alice), role_of(cast, cast.bob)]) == [Role.ADMIN, Role.READER]


def test_a_member_who_is_removed_sees_nothing_from_then_on(cast):
    bob = signed_in(cast.bob)
    assert bob.get(team_url(cast)).status_code == 200
    signed_in(cast.alice).post(team_url(cast, f"{cast.bob.pk}/remove"))
    assert bob.get(team_url(cast)).status_code == 404


def test_bob_may_look_but_not_decide(cast):
    bob = signed_in(cast.bob)
    assert "Invite somebody" not in bob.get(team_url(cast)).content.decode()
    for rest, data in (
        ("", {"email": "x@example.com", "role": "admin"}),
        (f"{cast.bob.pk}/role", {"role": "admin"}),
        (f"{cast.alice.pk}/remove", {}),
        ("invitations/1/revoke", {}),
    ):
        assert bob.post(team_url(cast, rest), data).status_code == 403
    settings = f"/accounts/{cast.account.pk}/settings/"
    assert bob.get(settings).status_code == 200
    assert bob.post(settings, {"name": "Bob's", "time_zone": "UTC"}).status_code == 403
    assert role_of(cast, cast.bob) == Role.MEMBER


def test_charlie_meets_404_everywhere(cast):
    charlie = signed_in(cast.charlie)
    for rest in ("", "leave", f"{cast.bob.pk}/role", f"{cast.bob.pk}/remove", "invitations/1/revoke"):
        assert charlie.post(team_url(cast, rest), {"role": "admin"}).status_code == 404
    assert charlie.get(team_url(cast)).status_code == 404
    assert charlie.get(f"/accounts/{cast.account.pk}/settings/").status_code == 404
    # Nor does he reach people of another account through his own.
    own = f"/accounts/{cast.other.pk}/team/"
    assert charlie.post(f"{own}{cast.bob.pk}/remove").status_code == 404
    assert charlie.post(f"{own}{cast.bob.pk}/role", {"role": "reader"}).status_code == 404
    invited(cast)
    with account_scope(cast.account.pk):
        pk = Invitation.objects.get(account=cast.account).pk
    assert charlie.post(f"{own}invitations/{pk}/revoke").status_code == 404
    assert "dora@" not in charlie.get(own).content.decode()


def test_settings_are_saved_and_refused_ones_do_not_rename_the_switcher(cast):
    alice = signed_in(cast.alice)
    url = f"/accounts/{cast.account.pk}/settings/"
    refused = alice.post(url, {"name": "Otherwise", "time_zone": "Mars/Olympus"})
    assert refused.status_code == 200
    assert refused.context["account"].name == cast.account.name
    alice.post(url, {"name": "Renamed", "time_zone": "Europe/Prague", "address": "3 New Street"})
    cast.account.refresh_from_db()
    assert (cast.account.name, cast.account.time_zone) == ("Renamed", "Europe/Prague")
