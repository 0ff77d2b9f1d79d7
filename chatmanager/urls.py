"""Every address there is. Pages belong to their apps, and so do the parts of the API."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from chatmanager import health, shell

api: list[URLPattern | URLResolver] = [
    path("", include("accounts.api_urls")),
    path("", include("rooms.api_urls")),
    path("", include("messages.api_urls")),
    path("", include("notifications.api_urls")),
    path("", include("threads.api_urls")),
    path("", include("robots.api_urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api_docs"),
]

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("rooms.urls")),
    path("", include("messages.urls")),
    path("", include("notifications.urls")),
    path("", include("threads.urls")),
    path("", include("robots.urls")),
    path("api/v1/", include(api)),
    path("admin/", admin.site.urls),
    path("sw.js", shell.worker, name="service_worker"),
    path("manifest.webmanifest", shell.manifest, name="manifest"),
    path("outbox/", shell.outbox, name="outbox"),
    path("release", shell.current, name="release"),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", health.metrics),
]

handler400 = "chatmanager.errors.bad_request"
handler403 = "chatmanager.errors.permission_denied"
handler404 = "chatmanager.errors.page_not_found"
handler500 = "chatmanager.errors.server_error"
