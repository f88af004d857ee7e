"""Where the pages of people and accounts are."""

from django.urls import path

from standfast.components.accounts import key_pages, pages, team

app_name = "accounts"
urlpatterns = [
    path("profile/", pages.profile, name="profile"),
    path("join/<int:account_id>/<str:token>", pages.join, name="join"),
    path("accounts/<int:account_id>/settings/", team.settings, name="settings"),
    path("accounts/<int:account_id>/team/", team.team, name="team"),
    path("accounts/<int:account_id>/team/leave", team.leave, name="leave"),
    path("accounts/<int:account_id>/team/<int:user_id>/role", team.change_role, name="change_role"),
    path("accounts/<int:account_id>/team/<int:user_id>/remove", team.remove, name="remove"),
    path("accounts/<int:account_id>/team/invitations/<int:invitation_id>/revoke", team.revoke, name="revoke"),
    path("accounts/<int:account_id>/keys/", key_pages.keys, name="keys"),
    path("accounts/<int:account_id>/keys/<int:key_id>/end", key_pages.end, name="end_key"),
]
