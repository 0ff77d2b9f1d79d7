"""What has been read of a room."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import PublicUser
from accounts.api_calls import caller, valid
from accounts.api_schema import errors
from accounts.errors import NotFound
from messages.models import Message
from messages.receipts import readers
from rooms.api.fields import IdField
from rooms.api.rooms import seat_in, shown


class Place(serializers.Serializer[Any]):
    """A message of the room."""

    message = IdField()


class ReadState(serializers.Serializer[Any]):
    """How far one has come, and what is left."""

    last_read = serializers.IntegerField()
    unread = serializers.IntegerField(help_text="100 stands for more than 99.")
    mentions = serializers.IntegerField(help_text="100 stands for more than 99.")


class Readers(serializers.Serializer[Any]):
    """Who has read a message, its author and robots aside."""

    readers = PublicUser(many=True)
    count = serializers.IntegerField()


class ReadView(APIView):
    """Reading on."""

    @extend_schema(
        operation_id="mark_read",
        request=Place,
        responses={200: ReadState, **errors(400, 401, 404)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Have read up to this message; never back."""
        _message_of(request, room).mark_read(by=caller(request))
        return _read_state(request, room)


class UnreadView(APIView):
    """Coming back to it."""

    @extend_schema(
        operation_id="mark_unread",
        request=Place,
        responses={200: ReadState, **errors(400, 401, 404)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Be unread from this message on."""
        _message_of(request, room).mark_unread(by=caller(request))
        return _read_state(request, room)


class ReadersView(APIView):
    """Who has read a message."""

    @extend_schema(operation_id="list_readers", responses={200: Readers, **errors(401, 403, 404)})
    def get(self, request: Request, message: int) -> Response:
        """Of one that everyone sees: at most 100 people by name, and how many they are; in rooms of
        more than 200 only how many.
        """
        found = Message.objects.visible_to(caller(request)).filter(pk=message).first()
        if found is None:
            raise NotFound
        people, count = readers(found, viewer=seat_in(request, found.room_id))
        return Response({"readers": [user.public() for user in people], "count": count})


def _message_of(request: Request, room: int) -> Message:
    seat = seat_in(request, room)
    given = valid(Place, request.data)
    visible = Message.objects.visible_to(caller(request)).filter(room=room, pk=given["message"])
    message: Message | None = visible.first()
    if message is None:
        raise NotFound(details={"message": ["There is no such message here."]})
    message.room = seat.room
    return message


def _read_state(request: Request, room: int) -> Response:
    seen = shown(caller(request), seat_in(request, room).room)
    state = {"last_read": seen["me"]["last_read"]}
    return Response({**state, "unread": seen["unread"], "mentions": seen["mentions"]})
