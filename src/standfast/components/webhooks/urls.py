"""Where the pages of webhooks are."""

from django.urls import path

from standfast.components.webhooks import log_pages, pages

app_name = "webhooks"
_ALL = "accounts/<int:account_id>/webhooks/"
_ONE = f"{_ALL}<int:endpoint_id>/"
urlpatterns = [
    path(_ALL, pages.list_endpoints, name="list"),
    path(f"{_ALL}new/", pages.new, name="new"),
    path(_ONE, log_pages.show, name="show"),
    path(f"{_ONE}change/", pages.change, name="change"),
    path(f"{_ONE}pause", pages.pause, name="pause"),
    path(f"{_ONE}resume", pages.resume, name="resume"),
    path(f"{_ONE}delete", pages.delete, name="delete"),
    path(f"{_ONE}secret/", pages.secret, name="secret"),
    path(f"{_ONE}new-secret", pages.new_secret, name="new_secret"),
    path(f"{_ONE}test", pages.test, name="test"),
    path(f"{_ONE}again", log_pages.again, name="again"),
    path(f"{_ONE}deliveries/<int:position>/", log_pages.delivery, name="delivery"),
    path(f"{_ONE}deliveries/<int:position>/again", log_pages.deliver_again, name="deliver_again"),
]
