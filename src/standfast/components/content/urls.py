from django.urls import path

from standfast.components.content import pages

app_name = "content"
_ONE = "accounts/<int:account_id>/content/<int:content_id>/"
urlpatterns = [
    path("accounts/<int:account_id>/content/", pages.list_contents, name="list"),
    path("accounts/<int:account_id>/content/new/", pages.new, name="new"),
    path(_ONE, pages.edit, name="edit"),
    path(f"{_ONE}preview/", pages.preview, name="preview"),
    path(f"{_ONE}as/", pages.as_contact, name="as_contact"),
    path(f"{_ONE}duplicate/", pages.duplicate, name="duplicate"),
    path(f"{_ONE}delete/", pages.delete, name="delete"),
]
