"""The audience's endpoints of the reference product's interface; importing it fills the table of routes."""

from standfast.components.audience.compatible import contacts, do_not_mail, fields, lists, members, secure_lists, tags

__all__ = ["contacts", "do_not_mail", "fields", "lists", "members", "secure_lists", "tags"]
