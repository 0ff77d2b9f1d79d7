"""The addresses of side-bars below /api/v1/."""

from django.urls import path

from rooms import ids  # noqa: F401  # registers <id:…>
from threads import api

urlpatterns = [
    path("messages/<id:message>/sidebars/", api.AnchorView.as_view(), name="api_open_sidebar"),
    path("rooms/<id:room>/sidebars/", api.SidebarsView.as_view(), name="api_sidebars"),
    path("sidebars/<id:sidebar>/share/", api.ShareView.as_view(), name="api_share_back"),
    path("sidebars/<id:sidebar>/conclude/", api.ConcludeView.as_view(), name="api_conclude"),
]
