from standfast.components.audience.exporting import _harmless


def test_nothing_in_an_export_is_run_by_a_spreadsheet():
    for risky in (
        "=1+1",
        "=2+5+cmd|' /C calc'!A0",
        "+1+cmd|' /C calc'!A0",
        "-2+3*A1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "+",
        "+1=A1",
    ):
        assert _harmless(risky) == f"'{risky}"


def test_numbers_and_telephone_numbers_stay_as_they_are():
    for plain in ("+1 (416) 555-0100", "-12.5", "+49-30-1234", "O'Neil", "", 7, None):
        assert _harmless(plain) == plain
