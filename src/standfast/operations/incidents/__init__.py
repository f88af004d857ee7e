"""Incidents: from the detector's findings to public posts, notifications and a postmortem, all in one log."""
