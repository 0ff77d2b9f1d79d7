"""Every address there is. Pages belong to their apps, and so do the parts of the API."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from chatmanager import health

OURS = [
    include(f"{app}.urls")
    for app in ["accounts", "rooms", "messages"]
    if find_spec(app) and find_spec(f"{app}.urls")
]
API = [
    include(f"{app}.api_urls")
    for app in ["accounts", "rooms", "messages"]
    if find_spec(app) and find_spec(f"{app}.api_urls")
]

urlpatterns = [
    *[path("", urls) for urls in OURS],
    path(
        "api/v1/",
        include(
            [
                *[path("", urls) for urls in API],
                path("schema/", SpectacularAPIView.as_view(), name="schema"),
                path(
                    "docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api_docs"
                ),
            ]
        ),
    ),
    path("admin/", admin.site.urls),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", health.metrics),
]

handler400 = "chatmanager.errors.bad_request"
handler403 = "chatmanager.errors.permission_denied"
handler404 = "chatmanager.errors.page_not_found"
handler500 = "chatmanager.errors.server_error"
