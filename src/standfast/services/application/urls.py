from django.conf import settings
from django.urls import include, path
from django.views.generic import RedirectView

from standfast.components.accounts.pages import home
from standfast.services.application import dashboard, developers, health, inbox_pages, recipient_pages
from standfast.services.application.style_page import style_page
from standfast.services.application.welcome import new_account, welcome

urlpatterns = [
    path("", home, name="home"),
    path("welcome/<str:token>", welcome, name="welcome"),
    path("accounts/new/", new_account, name="new_account"),
    path("", include("standfast.components.accounts.urls")),
    # A person has one address, changed in the profile; allauth's own list of addresses is not offered.
    path("email/", RedirectView.as_view(pattern_name="accounts:profile")),
    path("accounts/<int:account_id>/", dashboard.dashboard, name="dashboard"),
    path("accounts/<int:account_id>/dashboard/running/", dashboard.running, name="dashboard_running"),
    path("accounts/<int:account_id>/dashboard/first-steps/", dashboard.first_steps, name="dashboard_first_steps"),
    path("accounts/<int:account_id>/dashboard/growth/", dashboard.growth, name="dashboard_growth"),
    path("accounts/<int:account_id>/developers/", developers.developers, name="developers"),
    path("", include("standfast.components.audience.urls")),
    path("", include("standfast.components.content.urls")),
    path("", include("standfast.components.delivery.urls")),
    path("", include("standfast.components.campaigns.urls")),
    path("", include("standfast.components.tracking.urls")),
    path("", include("standfast.components.transactional.urls")),
    path("", include("standfast.components.webhooks.urls")),
    path("accounts/<int:account_id>/inbox/", include((inbox_pages.URLS, "inbox"))),
    path("", include("allauth.urls")),
    path("", include((health.URLS, "health"))),
    path("", include((recipient_pages.URLS, "recipient"))),
]

if settings.DEBUG:
    urlpatterns += [path("_style/", style_page), path("_style/<path:name>", style_page)]

handler400 = "standfast.services.application.errors.bad_request"
handler403 = "standfast.services.application.errors.forbidden"
handler404 = "standfast.services.application.errors.not_found"
handler429 = "standfast.services.application.errors.too_often"  # allauth's name for it
handler500 = "standfast.services.application.errors.failed"
