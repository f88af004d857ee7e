"""Replays of outages on one machine, with real name servers, and a scoreboard."""
