"""Liquid templates, compiled for mail.

A template is parsed by python-liquid once. What most mail uses is then *lowered*: turned into one Python function that
strings together byte runs that are already quoted-printable and values that are escaped and encoded on the way. What
uses more (`tablerow`, `cycle`, `increment` ...) is rendered by python-liquid itself, slower and with the same output;
`Program.lowered` and `Program.fallback_reason` tell which it is.

Whatever a template does it ends: loops, ranges, values, output and time are bounded (`budget.py`), and every error is a
`ContentError` with the line in the user's source and a plain reason.
"""

from .errors import ContentError
from .program import MESSAGE_TOKEN, Program, compile_template
from .quoted import qp_run, qp_slot

__all__ = ["MESSAGE_TOKEN", "ContentError", "Program", "compile_template", "qp_run", "qp_slot"]
