"""The SMTP API service: programs submit finished messages, which are filed under transactional campaigns.

Owns no data. Answers 250 after the commit: what it answered for is on disk, once, and goes out before all bulk.
"""
