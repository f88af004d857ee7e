"""Transactional mail: what programs hand in one message at a time, by REST or SMTP, filed under transactional campaigns.

Owns transactional campaigns. Promises that a message answered for is on disk, goes out before all bulk, and goes again under
the same Message-ID when its fate is uncertain. Refuses what has no sending domain, and people on do-not-mail unless told not to.
"""
