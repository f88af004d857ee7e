"""Where the pages of domains and relay are."""

from django.urls import path

from standfast.components.delivery import pages

app_name = "delivery"
_DOMAINS = "accounts/<int:account_id>/settings/domains/"
urlpatterns = [
    path(_DOMAINS, pages.domains, name="domains"),
    path(f"{_DOMAINS}<int:domain_id>/", pages.domain, name="domain"),
    path(f"{_DOMAINS}<int:domain_id>/check", pages.check_domain, name="check_domain"),
    path(f"{_DOMAINS}<int:domain_id>/delete", pages.delete_domain, name="delete_domain"),
    path("accounts/<int:account_id>/settings/relay/", pages.relay, name="relay"),
    path("accounts/<int:account_id>/settings/relay/test", pages.test_relay, name="test_relay"),
]
