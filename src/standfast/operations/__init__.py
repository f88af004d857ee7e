"""Operations: see an outage within seconds, say so, move traffic, and show afterwards what happened.

Owns the map of what is watched, the monitor, failover, incidents and the status page. Promises to work while all that it
watches is down: it shares no machine, database, domain or code above `protocols` with it. One append-only log
(`log.py`) is its only memory; page, feeds, notifications and postmortem are all derived from it, so they cannot disagree.
"""
