"""The desk: where people log in to write what the page says, and where the public subscribes.

A small Django site on an SQLite file of its own (people, sessions, attempts). It changes nothing but by orders, each an entry
of the operations log; with the desk down `standfast operations` gives the same orders, and page and controller go on.
"""
