"""Messages as the schema describes them. What is sent is `messages.encoding`'s, unchanged."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api import PublicUser
from accounts.api_calls import asked
from accounts.models import User
from messages.audience import Audience
from messages.encoding import Encoded, encode_for
from messages.models import Message
from messages.rendering import article
from rooms.api.fields import ChoiceField
from rooms.modes import Role


class Author(PublicUser):
    """Who said it, and what they were in the room then."""

    role = serializers.ChoiceField(Role.choices, allow_null=True)


class Quote(serializers.Serializer[Any]):
    """The message replied to."""

    id = serializers.IntegerField()
    author = PublicUser()
    excerpt = serializers.CharField()


class ShareOrigin(serializers.Serializer[Any]):
    """The message shared."""

    author = PublicUser()
    message = serializers.IntegerField()
    room = serializers.IntegerField()


class AttachmentSerializer(serializers.Serializer[Any]):
    """A file."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField(help_text="As its first bytes show.")
    size = serializers.IntegerField(help_text="Bytes.")
    url = serializers.CharField(help_text="A path.")
    thumbnail = serializers.CharField(
        allow_null=True, help_text="A path to a WebP; null where there is no preview."
    )
    width = serializers.IntegerField(
        allow_null=True, help_text="Pixels of a picture; null for what is none."
    )
    height = serializers.IntegerField(allow_null=True)

    def to_representation(self, instance: Encoded) -> Encoded:
        """As it was encoded."""
        return instance


class ReactionSerializer(serializers.Serializer[Any]):
    """An emoji, and who put it there."""

    emoji = serializers.CharField()
    count = serializers.IntegerField()
    users = serializers.ListField(child=serializers.IntegerField(), help_text="At most 20 ids.")


@extend_schema_field(OpenApiTypes.OBJECT)
class DataField(serializers.DictField):
    """What programs read of a note or card."""


class MessageSerializer(serializers.Serializer[Any]):
    """A message. A deleted one has all keys, its content blanked."""

    id = serializers.IntegerField()
    version = serializers.IntegerField(help_text="Of two copies the higher is true.")
    room = serializers.IntegerField()
    kind = serializers.ChoiceField(Message.Kind.choices)
    status = serializers.ChoiceField(Message.Status.choices)
    author = Author()
    audience = serializers.ChoiceField(Audience.choices)
    to = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of users.")
    body = serializers.CharField(help_text="Markdown.")
    html = serializers.CharField(help_text="Sanitised.")
    data = DataField()  # type: ignore[assignment]
    reply_to = Quote(allow_null=True, help_text="Null to those who may not see the original.")
    shared_from = ShareOrigin(allow_null=True, help_text="Null to those who may not see it.")
    attachments = AttachmentSerializer(many=True)
    reactions = ReactionSerializer(many=True)
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    deleted_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Encoded) -> Encoded:
        """As it was encoded."""
        return instance


class PostedSerializer(MessageSerializer):
    """A message, in answer to posting it."""

    replayed = serializers.BooleanField(help_text="Whether it was there already.")


class HistoryPage(serializers.Serializer[Any]):
    """A page of history, or of what changed; or `reset` alone, where the cursor is too old."""

    messages = MessageSerializer(many=True, required=False)
    has_older = serializers.BooleanField(required=False)
    has_newer = serializers.BooleanField(required=False)
    cursor = serializers.CharField(required=False)
    reset = serializers.BooleanField(required=False)


class Rendering(serializers.Serializer[Any]):
    """How messages shall be shown."""

    render = ChoiceField(["html"], required=False)


def encoded(request: Request, user: User, *messages: Message) -> list[Encoded]:
    """These messages for this reader, with the rendered `article` where it is asked for."""
    shapes = encode_for(user, messages)
    if asked(Rendering, request).get("render") == "html":
        for shape in shapes:
            shape["article"] = article(shape)
    return shapes
