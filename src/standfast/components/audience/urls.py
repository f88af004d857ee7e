from django.urls import path

from standfast.components.audience import brand_pages, import_pages, list_pages, pages

app_name = "audience"
_ALL = "accounts/<int:account_id>/people/"
_PERSON = f"{_ALL}<int:contact_id>/"
_LIST = f"{_ALL}lists/<int:list_id>/"
_IMPORT = f"{_ALL}imports/<int:import_id>/"
urlpatterns = [
    path(_ALL, pages.contacts, name="contacts"),
    path(f"{_ALL}new/", pages.new_contact, name="new_contact"),
    path(f"{_ALL}export/", pages.export_contacts, name="export"),
    path(_PERSON, pages.contact, name="contact"),
    path(f"{_PERSON}edit/", pages.edit_contact, name="edit_contact"),
    path(f"{_PERSON}lists/", pages.move_contact, name="move_contact"),
    path(f"{_PERSON}block/", pages.block_contact, name="block_contact"),
    path(f"{_PERSON}lift/", pages.lift_contact, name="lift_contact"),
    path(f"{_PERSON}delete/", pages.delete_contact, name="delete_contact"),
    path(f"{_ALL}lists/", list_pages.lists, name="lists"),
    path(f"{_ALL}lists/new/", list_pages.edit_list, name="new_list"),
    path(_LIST, list_pages.show_list, name="list"),
    path(f"{_LIST}edit/", list_pages.edit_list, name="edit_list"),
    path(f"{_LIST}delete/", list_pages.delete_list, name="delete_list"),
    path(f"{_LIST}export/", list_pages.export_list, name="export_list"),
    path(f"{_ALL}fields/", list_pages.fields, name="fields"),
    path(f"{_ALL}fields/<int:field_id>/delete/", list_pages.delete_field, name="delete_field"),
    path(f"{_ALL}tags/<int:tag_id>/delete/", list_pages.delete_tag, name="delete_tag"),
    path(f"{_ALL}do-not-mail/", list_pages.do_not_mail, name="do_not_mail"),
    path(f"{_ALL}do-not-mail/lift/", list_pages.lift, name="lift"),
    path(f"{_ALL}brands/", brand_pages.brands_page, name="brands"),
    path(f"{_ALL}brands/<int:brand_id>/delete/", brand_pages.delete_brand, name="delete_brand"),
    path(f"{_ALL}secure-lists/", brand_pages.lists, name="secure_lists"),
    path(f"{_ALL}secure-lists/<int:secure_list_id>/", brand_pages.secure_list, name="secure_list"),
    path(f"{_ALL}secure-lists/<int:secure_list_id>/delete/", brand_pages.delete_secure_list, name="delete_secure_list"),
    path(f"{_ALL}imports/", import_pages.imports, name="imports"),
    path(_IMPORT, import_pages.show_import, name="import"),
    path(f"{_IMPORT}mapping/", import_pages.mapping, name="import_mapping"),
    path(f"{_IMPORT}progress/", import_pages.import_progress, name="import_progress"),
    path(f"{_IMPORT}run/", import_pages.run_import, name="run_import"),
    path(f"{_IMPORT}again/", import_pages.try_again, name="try_import_again"),
    path(f"{_IMPORT}cancel/", import_pages.cancel_import, name="cancel_import"),
    path(f"{_IMPORT}rejects/", import_pages.rejects, name="import_rejects"),
]
