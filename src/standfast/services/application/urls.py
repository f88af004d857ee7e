from django.conf import settings
from django.urls import include, path

from standfast.components.accounts.pages import home
from standfast.services.application.style_page import style_page

urlpatterns = [
    path("", home, name="home"),
    path("", include("allauth.urls")),
]

if settings.DEBUG:
    urlpatterns += [path("_style/", style_page), path("_style/<path:name>", style_page)]

handler400 = "standfast.services.application.errors.bad_request"
handler403 = "standfast.services.application.errors.forbidden"
handler404 = "standfast.services.application.errors.not_found"
handler500 = "standfast.services.application.errors.failed"
