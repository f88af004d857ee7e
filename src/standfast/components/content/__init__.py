"""Reusable e-mail content and its compiler. Owns sources; promises that what compiles renders the same for everybody, within
limits; refuses to send."""
