"""Products, orders and what they brought in. Owns who bought what, when and for how much; promises that an order is written and
told to the log in one transaction, with its total before and after; refuses to know of campaigns beyond their number."""
