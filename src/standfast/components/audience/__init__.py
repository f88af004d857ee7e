"""People: contacts with typed custom fields and tags, lists with subscriptions, imports, do-not-mail. Owns who may be
written to; promises set-based writes and a reason for every refused row; refuses to know of campaigns."""
