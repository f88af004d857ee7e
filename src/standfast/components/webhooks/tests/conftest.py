"""What the tests of webhooks share."""

from tests.receiver import receiver

__all__ = ["receiver"]
