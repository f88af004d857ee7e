from standfast.services.application import navigation


def current(path, monkeypatch):
    monkeypatch.setattr(
        navigation, "page_url", lambda name, *, account_id: f"/accounts/{account_id}/{name.replace(':', '/')}/"
    )
    sections = navigation.sections(path=path, account_id=7)
    return [link.label for section in sections for link in section.links if link.current]


def test_a_page_below_an_item_marks_that_item_alone(monkeypatch):
    assert current("/accounts/7/audience/contacts/12/edit", monkeypatch) == ["Contacts"]


def test_a_page_of_no_item_marks_none(monkeypatch):
    assert current("/password/change/", monkeypatch) == []


def test_items_without_a_page_are_left_out():
    assert navigation.page_url("nothing:here", account_id=1) == ""
