"""The mail exchanger: takes the mail that comes back, bounces and complaints, and nothing else.

The address a bounce comes to names the recipient it is about (VERP), so no look-up is needed; the event is in the spool
before the 250 is said. What cannot be understood is kept for a person to read, and counted by reason.
"""
