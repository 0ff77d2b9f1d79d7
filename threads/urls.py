"""The addresses of side-bars' pages. A side-bar itself is a room, and has a room's."""

from django.urls import path

from rooms import ids  # noqa: F401  # registers <id:…>
from threads import views

urlpatterns = [
    path("messages/<id:message>/sidebar/", views.open_beside, name="sidebar_open"),
    path("sidebars/<id:sidebar>/share/", views.share, name="sidebar_share"),
    path("sidebars/<id:sidebar>/conclude/", views.conclude, name="sidebar_conclude"),
    path("sidebars/<id:sidebar>/draft/", views.draft, name="sidebar_draft"),
]
