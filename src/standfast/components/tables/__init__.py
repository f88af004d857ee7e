"""Relational tables: an account's own data with typed columns. Owns structures, rows and the values rows are found by; promises
set-based writes and unique values that are unique whoever writes at once; refuses to know of people or campaigns."""
