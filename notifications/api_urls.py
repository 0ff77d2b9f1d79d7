"""The addresses of notifications below /api/v1/."""

from django.urls import path

from notifications import api
from rooms import ids  # noqa: F401  # registers <id:…>

urlpatterns = [
    path("notifications/", api.NotificationsView.as_view(), name="api_notifications"),
    path("notifications/read/", api.ReadView.as_view(), name="api_notifications_read"),
    path("me/notifications/", api.PreferencesView.as_view(), name="api_me_notifications"),
    path("me/push/", api.SubscriptionsView.as_view(), name="api_me_push"),
    path("me/push/<id:subscription>/", api.SubscriptionView.as_view(), name="api_me_push_one"),
]
