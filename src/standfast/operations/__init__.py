"""What watches: monitoring, failover, incidents, status page.

Apart from all it watches: no machine, database, domain or code in common with it above `protocols`.
"""
