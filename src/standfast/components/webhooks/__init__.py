"""Outgoing webhooks: what happens in an account, told to its programs, signed, once they have said 2xx.

Owns endpoints, deliveries and attempts. Promises a row before each attempt, retries for three days, and that any part of the
log can be sent again. Refuses private addresses and redirects.
"""
