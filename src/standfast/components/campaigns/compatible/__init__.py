"""Campaigns and their reports in the reference product's interface."""

from standfast.components.campaigns.compatible.campaigns import created, rows
from standfast.components.campaigns.compatible.reports import reports

__all__ = ["created", "reports", "rows"]
