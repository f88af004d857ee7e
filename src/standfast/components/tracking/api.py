"""The face of tracking."""

from standfast.components.tracking.consumers import CONSUMERS
from standfast.components.tracking.exports import Report, columns, csv_of, rows
from standfast.components.tracking.models import LinkCounter, Response, SendCounter, SendHour
from standfast.components.tracking.rebuild import command as rebuild_command
from standfast.components.tracking.rebuild import rebuild
from standfast.components.tracking.recipients import LABELS, Show
from standfast.components.tracking.recipients import Page as RecipientPage
from standfast.components.tracking.recipients import newest as newest_recipients
from standfast.components.tracking.report_pages import report_columns, report_page, report_total
from standfast.components.tracking.reports import SendFigures, Summary, by_send, summary

__all__ = [
    "CONSUMERS",
    "LABELS",
    "LinkCounter",
    "RecipientPage",
    "Report",
    "Response",
    "SendCounter",
    "SendFigures",
    "SendHour",
    "Show",
    "Summary",
    "by_send",
    "columns",
    "csv_of",
    "newest_recipients",
    "rebuild",
    "rebuild_command",
    "report_columns",
    "report_page",
    "report_total",
    "rows",
    "summary",
]
