"""Other vendors' headers, read into an order: change the host name, keep the code. docs/api/smtp.md lists what they do here."""

from standfast.services.smtp_api.dialects.mailgun import mailgun
from standfast.services.smtp_api.dialects.mandrill import mandrill
from standfast.services.smtp_api.dialects.postmark import postmark
from standfast.services.smtp_api.dialects.sendgrid import sendgrid

DIALECTS = (sendgrid, mandrill, postmark, mailgun)

__all__ = ["DIALECTS", "mailgun", "mandrill", "postmark", "sendgrid"]
