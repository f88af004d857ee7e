"""Outages of others, each with a naive variant that fails as theirs did and ours that does not."""
