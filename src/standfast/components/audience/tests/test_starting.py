import pytest

from standfast.components.audience import starting
from standfast.components.audience.models import CustomField
from standfast.platform.tenancy import account_scope


@pytest.mark.django_db(transaction=True)
def test_a_field_of_no_known_type_is_refused_with_a_sentence(cast, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"email,size\r\nann@readers.example,4\r\n")
    with account_scope(cast.account.pk):
        found = starting.start_import(account_id=cast.account.pk, path=path, file_name="people.csv")
        with pytest.raises(ValueError, match="type is unknown"):
            starting.set_mapping(
                account_id=cast.account.pk,
                import_id=found.pk,
                mapping={"0": "email", "1": "new:'; --"},
                options={},
                list_id=None,
            )
        assert not CustomField.objects.filter(account_id=cast.account.pk).exists()
