from django.urls import path

from standfast.components.campaigns import pages, steps

app_name = "campaigns"
_ALL = "accounts/<int:account_id>/campaigns/"
_ONE = f"{_ALL}<int:campaign_id>/"
urlpatterns = [
    path(_ALL, pages.list_campaigns, name="list"),
    path(f"{_ALL}new/", pages.new, name="new"),
    path(f"{_ALL}list-sizes/", steps.list_sizes, name="list_sizes"),
    path(f"{_ALL}wall-clock/", steps.wall_clock, name="wall_clock"),
    path(_ONE, pages.show, name="show"),
    path(f"{_ONE}details/", steps.details, name="details"),
    path(f"{_ONE}people/", steps.people, name="people"),
    path(f"{_ONE}people/count/", steps.audience, name="audience"),
    path(f"{_ONE}content/", steps.content, name="content"),
    path(f"{_ONE}schedule/", steps.schedule, name="schedule"),
    path(f"{_ONE}checks/", steps.checks, name="checks"),
    path(f"{_ONE}test/", steps.test, name="test"),
    path(f"{_ONE}progress/", pages.progress, name="progress"),
    path(f"{_ONE}send/", pages.send, name="send"),
    path(f"{_ONE}pause/", pages.pause, name="pause"),
    path(f"{_ONE}resume/", pages.resume, name="resume"),
    path(f"{_ONE}cancel/", pages.cancel, name="cancel"),
    path(f"{_ONE}unschedule/", pages.unschedule, name="unschedule"),
    path(f"{_ONE}resend-uncertain/", pages.resend_uncertain, name="resend_uncertain"),
    path(f"{_ONE}duplicate/", pages.duplicate, name="duplicate"),
    path(f"{_ONE}delete/", pages.delete, name="delete"),
]
