"""The inbox: an SMTP server that keeps what it gets for reading, plays mailbox providers by a plan, and has readers.

It is the safe first destination of a new installation (nothing leaves the machine) and the honest peer in tests: a
message is on disk before it is accepted, and its Message-ID is kept for ever, so that what arrived can be counted.

- `plan`: accept, defer, refuse, throttle, drop, be slow: scripted or seeded.
- `store`: durable segments and an index; `mailbox`: reading them, from any process.
- `server`: SMTP to store. `display`: one message as a person or an expert wants to see it.
- `readers`, `behaviour`: simulated people and machines that open, click, unsubscribe, complain and bounce.
- `main`: the process.

No Django and no database here.
"""
