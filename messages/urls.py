"""The pages of messages."""

from django.urls import path

from messages import downloads
from rooms import ids  # noqa: F401  # registers <id:…>

urlpatterns = [
    path("attachments/<id:attachment>/<str:name>", downloads.attachment, name="attachment"),
]
