"""The REST API service: the reference product's interface and our own, over the same components.

Owns no data. Every call names its account and brings a key; it runs in one transaction that sees that account alone, and is
answered after its commit.
"""
