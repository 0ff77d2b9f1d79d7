"""The addresses of messages below /api/v1/."""

from django.urls import path

from messages.api import attachments, messages, preview, reading, search
from rooms import ids  # noqa: F401  # registers <id:…>

urlpatterns = [
    path("search/", search.SearchView.as_view(), name="api_search"),
    path("rooms/<id:room>/messages/", messages.MessagesView.as_view(), name="api_messages"),
    path("rooms/<id:room>/preview/", preview.PreviewView.as_view(), name="api_preview"),
    path("rooms/<id:room>/read/", reading.ReadView.as_view(), name="api_read"),
    path("rooms/<id:room>/unread/", reading.UnreadView.as_view(), name="api_unread"),
    path(
        "rooms/<id:room>/attachments/",
        attachments.AttachmentsView.as_view(),
        name="api_attachments",
    ),
    path("messages/<id:message>/", messages.MessageView.as_view(), name="api_message"),
    path("messages/<id:message>/share/", messages.ShareView.as_view(), name="api_share"),
    path("messages/<id:message>/actions/", messages.ActionsView.as_view(), name="api_actions"),
    path(
        "messages/<id:message>/reactions/<str:emoji>/",
        messages.ReactionView.as_view(),
        name="api_reaction",
    ),
    path("messages/<id:message>/readers/", reading.ReadersView.as_view(), name="api_readers"),
    path("messages/<id:message>/earlier/", messages.EarlierTextsView.as_view(), name="api_earlier"),
]
