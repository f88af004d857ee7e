"""Where the pages of transactional campaigns are."""

from django.urls import path

from standfast.components.transactional import message_pages, pages

app_name = "transactional"
_ALL = "accounts/<int:account_id>/transactional/"
_ONE = f"{_ALL}<int:transactional_id>/"
urlpatterns = [
    path(_ALL, pages.list_campaigns, name="list"),
    path(f"{_ALL}new/", pages.new, name="new"),
    path(_ONE, message_pages.list_messages, name="show"),
    path(f"{_ONE}change/", pages.change, name="change"),
    path(f"{_ONE}submit/", pages.how_to_submit, name="submit"),
    path(f"{_ONE}messages/<int:number>/", message_pages.show, name="message"),
]
