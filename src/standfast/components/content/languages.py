"""The languages that a letter may say it is written in."""

LANGUAGES = [
    ("en", "English"), ("da", "Danish"), ("nl", "Dutch"), ("fr", "French"), ("de", "German"), ("it", "Italian"),
    ("no", "Norwegian"), ("pl", "Polish"), ("pt", "Portuguese"), ("es", "Spanish"), ("sv", "Swedish"), ("zh", "Chinese"),
]  # fmt: skip
