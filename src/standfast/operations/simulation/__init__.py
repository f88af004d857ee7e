"""The same code under a virtual clock and a seeded network: thousands of outages in a minute."""
