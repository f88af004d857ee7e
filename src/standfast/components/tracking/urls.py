from django.urls import path

from standfast.components.tracking import pages

app_name = "reports"
_ALL = "accounts/<int:account_id>/reports/"
_ONE = f"{_ALL}sends/<int:send_id>/"
urlpatterns = [
    path(_ALL, pages.list_reports, name="list"),
    path(_ONE, pages.show, name="show"),
    path(f"{_ONE}summary/", pages.summary_part, name="summary"),
    path(f"{_ONE}recipients/", pages.recipients_page, name="recipients"),
    path(f"{_ONE}recipients.csv", pages.recipients_csv, name="recipients_csv"),
    path(f"{_ONE}resend-uncertain/", pages.resend_uncertain, name="resend_uncertain"),
    path(f"{_ONE}<str:report>.csv", pages.export, name="export"),
]
