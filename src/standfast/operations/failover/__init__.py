"""Failover: compare what the providers answer with what was declared, and change it when a quorum says so."""
