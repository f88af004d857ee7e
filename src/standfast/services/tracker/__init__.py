"""The tracker: answers opens, clicks and unsubscribes with nothing but its own disk.

A signed token says whose message it was, a signature says where a link leads, and the event is in the spool before the
answer goes out. It looks nothing up, so it works while the database does not.
"""
