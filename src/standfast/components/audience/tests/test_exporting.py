from standfast.components.audience.exporting import _harmless, contacts_csv
from standfast.components.audience.starting import new_field
from standfast.platform.tenancy import account_scope


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


def test_the_name_of_a_field_is_not_run_either(transactional_db, cast):
    with account_scope(cast.account.pk):
        new_field(account_id=cast.account.pk, label="=1+cmd|' /C calc'!A0", field_type="text")
        head = next(contacts_csv(account_id=cast.account.pk))
    assert ",'=1+cmd" in head and ",=1+cmd" not in head
