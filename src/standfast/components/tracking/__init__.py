"""What recipients did: responses, counters, links by hour. Owns the roll-ups; promises that they equal the log; refuses to
count machines as people."""
