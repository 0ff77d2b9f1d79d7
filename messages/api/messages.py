"""What is said: history and feed, posting, editing, sharing, reacting, acting on cards."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import Forbidden, NotFound
from accounts.throttles import CallThrottle, PostThrottle
from messages import cursor as cursors
from messages.api.shapes import HistoryPage, MessageSerializer, PostedSerializer, Rendering, encoded
from messages.audience import Audience
from messages.history import History
from messages.history import Page as Part
from messages.models import EarlierText, Message
from messages.posting import Draft, Posted
from rooms.api.fields import (
    ChoiceField,
    IdField,
    IdListField,
    LimitField,
    NumberField,
    PlaceField,
    UUIDField,
)
from rooms.api.pages import PAGING, Page, Paging, page
from rooms.api.rooms import own_room, seat_in
from rooms.models import Participant

STARTS = ("before", "after", "around", "at", "cursor")
RENDER = OpenApiParameter(
    "render",
    OpenApiTypes.STR,
    enum=["html"],
    description="Adds `article`: the message as pages show it.",
)


class HistoryQuery(Rendering):
    """Which part of a room's history one wants."""

    before = PlaceField()
    after = PlaceField()
    around = PlaceField()
    at = serializers.DateTimeField(required=False)
    cursor = TextField(required=False, allow_blank=True)
    limit = LimitField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One place to start from."""
        if len([start for start in STARTS if start in attrs]) > 1:
            raise serializers.ValidationError(f"Give one of {', '.join(STARTS)}.")
        return attrs


class PostSerializer(serializers.Serializer[Any]):
    """Something to be said."""

    client_id = UUIDField(help_text="The client's own. Sent again, it makes no second message.")
    body = TextField(
        trim_whitespace=False, allow_blank=True, help_text="Markdown, up to 16,000 code points."
    )
    audience = ChoiceField(Audience.choices, required=False)
    to = IdListField(
        required=False, help_text="Ids of participants, exactly where the audience is `only`."
    )
    reply_to = IdField(required=False, allow_null=True)
    attachments = IdListField(required=False, help_text="Ids of one's own uploads to this room.")


class ShareSerializer(serializers.Serializer[Any]):
    """A message to be said again to others."""

    client_id = UUIDField()
    room = IdField(required=False, help_text="Left out: the same room.")
    audience = ChoiceField(Audience.choices)
    to = IdListField(required=False)
    body = TextField(
        trim_whitespace=False,
        required=False,
        allow_null=True,
        help_text="Left out: the original's.",
    )


class Edit(serializers.Serializer[Any]):
    """Other words."""

    body = TextField(trim_whitespace=False, allow_blank=True)


class ActionSerializer(serializers.Serializer[Any]):
    """What to do of what a card offers."""

    action = TextField(max_length=100)
    version = NumberField(help_text="Of the message as one sees it.")
    data = serializers.DictField(required=False)  # type: ignore[assignment]


class EarlierTextSerializer(serializers.ModelSerializer[EarlierText]):
    """What a message said before."""

    class Meta:
        model = EarlierText
        fields = ("body", "replaced_at")


class EarlierTextPage(Page):
    """Some earlier texts."""

    results = EarlierTextSerializer(many=True)


class MessagesView(APIView):
    """A room's messages, as the caller may see them."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="list_messages",
        parameters=[
            OpenApiParameter(
                "before", OpenApiTypes.INT, description="A message id: the page before it."
            ),
            OpenApiParameter(
                "after", OpenApiTypes.INT, description="A message id: the page after it."
            ),
            OpenApiParameter(
                "around", OpenApiTypes.INT, description="A message id: it and its neighbours."
            ),
            OpenApiParameter(
                "at",
                OpenApiTypes.DATETIME,
                description="A time: the first message said from then on and its neighbours.",
            ),
            OpenApiParameter(
                "cursor",
                OpenApiTypes.STR,
                description="What changed since, in the order of changes.",
            ),
            OpenApiParameter(
                "limit", OpenApiTypes.INT, description="At most so many (50); never more than 200."
            ),
            RENDER,
        ],
        responses={200: HistoryPage, **errors(400, 401, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """A page of history, the newest unless it is said which; or what changed since a cursor."""
        query, seat = asked(HistoryQuery, request), seat_in(request, room)
        history = History(seat.room, caller(request))
        part = _since(history, seat, query) if "cursor" in query else _part(history, query)
        if part is None:
            return Response({"reset": True})
        return Response(
            {
                "messages": encoded(request, caller(request), *part.rows),
                "has_older": part.has_older,
                "has_newer": part.has_newer,
                "cursor": cursors.seal(room, part.revision),
            }
        )

    @extend_schema(
        operation_id="post_message",
        request=PostSerializer,
        parameters=[RENDER],
        responses={200: PostedSerializer, 201: PostedSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Say something: 201, or 200 with `replayed` where this `client_id` has said it already."""
        given = valid(PostSerializer, request.data)
        draft = Draft(
            room=room,
            author=caller(request),
            body=given["body"],
            audience=given.get("audience"),
            to=tuple(given.get("to", ())),
            reply_to=given.get("reply_to"),
            attachments=tuple(given.get("attachments", ())),
            client_id=given["client_id"],
        )
        (posted,) = Message.objects.post_all([draft])
        return answer(request, posted)


class MessageView(APIView):
    """One message."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="read_message",
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(400, 401, 404)},
    )
    def get(self, request: Request, message: int) -> Response:
        """The message."""
        return _shown(request, visible(request, message))

    @extend_schema(
        operation_id="edit_message",
        request=Edit,
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def patch(self, request: Request, message: int) -> Response:
        """Say it differently: one's own, for 15 minutes."""
        found = visible(request, message)
        found.edit(valid(Edit, request.data)["body"], by=caller(request))
        return _shown(request, found)

    @extend_schema(
        operation_id="delete_message", responses={204: None, **errors(401, 403, 404, 409)}
    )
    def delete(self, request: Request, message: int) -> Response:
        """Leave a tombstone in its place. Deleting again changes nothing."""
        visible(request, message).remove(by=caller(request))
        return Response(status=204)


class ShareView(APIView):
    """The one way to a wider audience."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="share_message",
        request=ShareSerializer,
        parameters=[RENDER],
        responses={200: PostedSerializer, 201: PostedSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, message: int) -> Response:
        """Say it again, here or in another room, with what one changed."""
        found, user, given = (
            visible(request, message),
            caller(request),
            valid(ShareSerializer, request.data),
        )
        posted = found.share(
            by=user,
            room=own_room(user, given["room"]) if "room" in given else None,
            audience=given["audience"],
            to=given.get("to", ()),
            body=given.get("body"),
            client_id=given["client_id"],
        )
        return answer(request, posted)


class ActionsView(APIView):
    """What a card offers."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="act_on_message",
        request=ActionSerializer,
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, message: int) -> Response:
        """Do it. A card that has changed meanwhile is 409 `stale`."""
        found, given = visible(request, message), valid(ActionSerializer, request.data)
        found.act(
            given["action"],
            version=given["version"],
            data=given.get("data", {}),
            by=caller(request),
        )
        return _shown(request, visible(request, message))


class ReactionView(APIView):
    """An emoji under a message."""

    @extend_schema(
        operation_id="react",
        request=None,
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def put(self, request: Request, message: int, emoji: str) -> Response:
        """Put it there. Twice is once."""
        found = visible(request, message)
        found.react(emoji, by=caller(request))
        return _shown(request, found)

    @extend_schema(
        operation_id="unreact",
        parameters=[RENDER],
        responses={200: MessageSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def delete(self, request: Request, message: int, emoji: str) -> Response:
        """Take one's own away."""
        found = visible(request, message)
        found.unreact(emoji, by=caller(request))
        return _shown(request, found)


class EarlierTextsView(APIView):
    """What an edited message said before, for staff and those who manage the room."""

    @extend_schema(
        operation_id="list_earlier_texts",
        parameters=PAGING,
        responses={200: EarlierTextPage, **errors(400, 401, 403, 404)},
    )
    def get(self, request: Request, message: int) -> Response:
        """Its earlier texts, the first one first."""
        found = visible(request, message)
        if not found.room.managed_by(caller(request)):
            raise Forbidden("Only those who manage this room can see earlier texts.")
        texts, following = page(found.earlier_texts.all(), asked(Paging, request))
        return Response(
            {"results": EarlierTextSerializer(texts, many=True).data, "next": following}
        )


def visible(request: Request, pk: int) -> Message:
    """A message the caller may see. Raises NotFound."""
    found = Message.objects.visible_to(caller(request)).select_related("author", "room")
    message: Message | None = found.filter(pk=pk).first()
    if message is None:
        raise NotFound
    return message


def _part(history: History, query: dict[str, Any]) -> Part:
    for start in ("before", "after", "around", "at"):
        if start in query:
            part: Part = getattr(history, start)(query[start], query["limit"])
            return part
    return history.newest(query["limit"])


def _since(history: History, seat: Participant, query: dict[str, Any]) -> Part | None:
    """What changed since the cursor, or None where one has to start over."""
    since = cursors.unseal(query["cursor"], room=seat.room_id)
    if since is None or not seat.view_since <= since <= seat.room.revision:
        return None
    part = history.since(since, query["limit"])
    if part.has_newer and history.changes_since(since) > settings.CHAT_CATCH_UP_MAX:
        return None
    return part


def answer(request: Request, posted: Posted) -> Response:
    """201 with the message, or 200 where the same was posted before."""
    (shape,) = encoded(request, caller(request), posted.message)
    return Response({**shape, "replayed": posted.replayed}, status=200 if posted.replayed else 201)


def _shown(request: Request, message: Message) -> Response:
    (shape,) = encoded(request, caller(request), message)
    return Response(shape)
