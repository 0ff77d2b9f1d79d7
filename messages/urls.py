"""The addresses of messages' pages."""

from django.urls import path

from messages.downloads import attachment, thumbnail
from messages.views import message, posting, search, sharing
from rooms import ids  # noqa: F401  # registers <id:…>

urlpatterns = [
    path("search/", search.search, name="search"),
    path("rooms/<id:room>/messages/", posting.post, name="room_post"),
    path("messages/<id:message>/", message.detail, name="message"),
    path("messages/<id:message>/edit/", message.edit, name="message_edit"),
    path("messages/<id:message>/delete/", message.delete, name="message_delete"),
    path("messages/<id:message>/share/", sharing.share, name="message_share"),
    path("messages/<id:message>/react/", message.react, name="message_react"),
    path("messages/<id:message>/actions/", message.act, name="message_act"),
    path("messages/<id:message>/read/", message.read, name="message_read"),
    path("messages/<id:message>/unread/", message.unread, name="message_unread"),
    path("attachments/<id:attachment>/thumbnail/", thumbnail, name="thumbnail"),
    path("attachments/<id:attachment>/<str:name>", attachment, name="attachment"),
]
