"""The rooms: finding, making, changing, entering, leaving and ending them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import known_to
from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import Invalid, NotFound
from accounts.models import User
from messages.overview import encode_seat, overview
from robots.models import Robot
from rooms.api.fields import ChoiceField, IdField, IdListField, TruthField
from rooms.api.pages import PAGING, Page, Paging, page
from rooms.models import Participant, Room
from rooms.models.room import NAME_MAX
from rooms.modes import Mode, Role

LONGEST_NOTE = 4000
VISIBILITIES = [
    (value, label) for value, label in Room.Visibility.choices if value != Room.Visibility.OPEN
]
"""Of rooms that are no side-bars."""


class MySeat(serializers.Serializer[Any]):
    """What one is in a room, and how one has set it."""

    role = serializers.ChoiceField(Role.choices)
    last_read = serializers.IntegerField(help_text="Id of the newest message one has read.")
    muted = serializers.BooleanField()
    starred = serializers.BooleanField()
    notify = serializers.ChoiceField(Participant.Notify.choices)


class RoomSerializer(serializers.Serializer[Any]):
    """A room as one reader sees it."""

    id = serializers.IntegerField()
    name = serializers.CharField(help_text="A direct room is called as the other one is.")
    mode = serializers.ChoiceField(Mode.choices)
    visibility = serializers.ChoiceField(Room.Visibility.choices)
    state = serializers.ChoiceField(Room.State.choices)
    description = serializers.CharField()
    history = serializers.ChoiceField(Room.History.choices)
    direct = serializers.BooleanField()
    parent = serializers.IntegerField(  # type: ignore[assignment]
        allow_null=True, help_text="The room around it, where this is a side-bar."
    )
    created_at = serializers.DateTimeField()
    last_message_at = serializers.DateTimeField(allow_null=True, help_text="Of what one may see.")
    unread = serializers.IntegerField(help_text="100 stands for more than 99.")
    mentions = serializers.IntegerField(help_text="100 stands for more than 99.")
    me = MySeat(allow_null=True, help_text="Null where one is not in the room.")
    participants_count = serializers.IntegerField(help_text="Of those one is shown.")
    outcome = serializers.ChoiceField(Room.Outcome.choices, allow_null=True)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """What `overview` made."""
        return instance


class RoomPage(Page):
    """Some rooms."""

    results = RoomSerializer(many=True)


class RoomQuery(Paging):
    """Which rooms one looks for."""

    scope = ChoiceField(["mine", "public", "desk"], default="mine")
    state = ChoiceField(Room.State.choices, required=False)
    mode = ChoiceField(Mode.choices, required=False)
    q = TextField(max_length=100, required=False, allow_blank=True, default="")


class NewRoom(serializers.Serializer[Any]):
    """A room to be made."""

    name = TextField(max_length=NAME_MAX)
    mode = ChoiceField(Mode.choices, default=Mode.TEAM.value)
    visibility = ChoiceField(VISIBILITIES, default=Room.Visibility.PRIVATE.value)
    description = TextField(max_length=4000, allow_blank=True, default="")
    history = ChoiceField(Room.History.choices, default=Room.History.ALL.value)
    people = IdListField(
        required=False, default=list, help_text="Ids of users to bring in at once."
    )
    robots = IdListField(
        required=False, default=list, help_text="Ids of robots to bring in at once."
    )
    on_behalf_of = IdField(
        required=False,
        help_text="The customer of a support room that waits for staff; the caller is not in it.",
    )


class RoomChanges(serializers.Serializer[Any]):
    """What of a room may be changed; what is left out stays."""

    name = TextField(max_length=NAME_MAX, required=False)
    description = TextField(max_length=4000, required=False, allow_blank=True)
    visibility = ChoiceField(VISIBILITIES, required=False)
    history = ChoiceField(Room.History.choices, required=False)


class Somebody(serializers.Serializer[Any]):
    """A user, by id."""

    user = IdField()


class Ending(serializers.Serializer[Any]):
    """How a conversation ended."""

    outcome = ChoiceField(Room.Outcome.choices, default=Room.Outcome.UNKNOWN.value)
    note = TextField(max_length=LONGEST_NOTE, required=False, allow_blank=True, default="")


class Preferences(serializers.Serializer[Any]):
    """One's own settings of a room; what is left out stays."""

    muted = TruthField(required=False)
    starred = TruthField(required=False)
    notify = ChoiceField(Participant.Notify.choices, required=False)


class RoomsView(APIView):
    """The rooms there are for the caller."""

    @extend_schema(
        operation_id="list_rooms",
        parameters=[
            OpenApiParameter(
                "scope",
                OpenApiTypes.STR,
                enum=["mine", "public", "desk"],
                description="Those one is in (the default), public ones, or the support desk's.",
            ),
            OpenApiParameter("state", OpenApiTypes.STR, enum=Room.State.values),
            OpenApiParameter("mode", OpenApiTypes.STR, enum=Mode.values),
            OpenApiParameter("q", OpenApiTypes.STR, description="Part of the name."),
            *PAGING,
        ],
        responses={200: RoomPage, **errors(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Rooms, those made last first."""
        user, query = caller(request), asked(RoomQuery, request)
        rooms = _scope(user, query["scope"])
        if "state" in query:
            rooms = rooms.filter(state=query["state"])
        if "mode" in query:
            rooms = rooms.filter(mode=query["mode"])
        if query["q"]:
            rooms = _named(rooms, query["q"], user)
        found, following = page(rooms, query, newest_first=True)
        return Response({"results": overview(user, found), "next": following})

    @extend_schema(
        operation_id="open_room",
        request=NewRoom,
        responses={201: RoomSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        """Make a room, with its people and robots at once."""
        user, given = caller(request), valid(NewRoom, request.data)
        people = people_known_to(user, given.pop("people"), field="people")
        must_be_no_robots(people, field="people")
        people += robots_known_to(user, given.pop("robots"))
        customer = None
        if "on_behalf_of" in given:
            (customer,) = people_known_to(user, [given.pop("on_behalf_of")], field="on_behalf_of")
        room = Room.objects.open(**given, by=user, people=people, on_behalf_of=customer)
        return Response(shown(user, room), status=201)


class DirectRoomView(APIView):
    """The one room of two."""

    @extend_schema(
        operation_id="open_direct_room",
        request=Somebody,
        responses={200: RoomSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        """The direct room with this user: the same one each time."""
        user = caller(request)
        (other,) = people_known_to(user, [valid(Somebody, request.data)["user"]], field="user")
        return Response(shown(user, Room.objects.direct(other, by=user)))


class RoomView(APIView):
    """One room."""

    @extend_schema(operation_id="read_room", responses={200: RoomSerializer, **errors(401, 404)})
    def get(self, request: Request, room: int) -> Response:
        """The room; `me` is null where one could enter it but has not."""
        return Response(shown(caller(request), findable(request, room)))

    @extend_schema(
        operation_id="change_room",
        request=RoomChanges,
        responses={200: RoomSerializer, **errors(400, 401, 403, 404)},
    )
    def patch(self, request: Request, room: int) -> Response:
        """Rename, describe, show or hide it, open or close its history."""
        found, user = findable(request, room), caller(request)
        found.update(by=user, **valid(RoomChanges, request.data))
        return Response(shown(user, found))


class JoinView(APIView):
    """The way in for who needs no invitation."""

    @extend_schema(
        operation_id="join_room",
        request=None,
        responses={200: RoomSerializer, **errors(401, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Enter a public room, or a support room as its staff. Joining again changes nothing."""
        found, user = findable(request, room), caller(request)
        found.join(by=user)
        return Response(shown(user, found))


class LeaveView(APIView):
    """The way out."""

    @extend_schema(
        operation_id="leave_room", request=None, responses={204: None, **errors(401, 403, 404, 409)}
    )
    def post(self, request: Request, room: int) -> Response:
        """Be in it no longer. Its last owner stays; a direct room is not left."""
        findable(request, room).leave(by=caller(request))
        return Response(status=204)


class CloseView(APIView):
    """The end of a conversation."""

    @extend_schema(
        operation_id="close_room",
        request=Ending,
        responses={200: RoomSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Close it, with an outcome and a note for the record."""
        found, user = findable(request, room), caller(request)
        found.close(by=user, **valid(Ending, request.data))
        return Response(shown(user, found))


class ReopenView(APIView):
    """A conversation that goes on after all."""

    @extend_schema(
        operation_id="reopen_room",
        request=None,
        responses={200: RoomSerializer, **errors(401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Open a closed or archived room again."""
        found, user = findable(request, room), caller(request)
        found.reopen(by=user)
        return Response(shown(user, found))


class ArchiveView(APIView):
    """A conversation put away."""

    @extend_schema(
        operation_id="archive_room",
        request=None,
        responses={200: RoomSerializer, **errors(401, 403, 404, 409)},
    )
    def post(self, request: Request, room: int) -> Response:
        """Archive a closed room."""
        found, user = findable(request, room), caller(request)
        found.archive(by=user)
        return Response(shown(user, found))


class MySeatView(APIView):
    """How one has set a room for oneself."""

    @extend_schema(
        operation_id="change_my_seat",
        request=Preferences,
        responses={200: MySeat, **errors(400, 401, 404)},
    )
    def patch(self, request: Request, room: int) -> Response:
        """Mute it, star it, choose what to be told of."""
        seat = seat_in(request, room)
        seat.set_preferences(**valid(Preferences, request.data))
        return Response(encode_seat(seat))


def findable(request: Request, pk: int) -> Room:
    """A room that exists for the caller. Raises NotFound."""
    room = Room.objects.findable_by(caller(request)).filter(pk=pk).first()
    if room is None:
        raise NotFound
    return room


def seat_in(request: Request, room: int) -> Participant:
    """The caller's seat in a room, with the room. Raises NotFound."""
    return Room.objects.seat_in(room, caller(request))


def own_room(user: User, pk: int) -> Room:
    """A room that a call names, and `user` is in. Raises NotFound, of the field `room`."""
    try:
        return Room.objects.seat_in(pk, user).room
    except NotFound:
        raise NotFound(details={"room": ["There is no such room."]}) from None


def shown(user: User, room: Room) -> dict[str, Any]:
    """The room object of the contract for `user`."""
    (encoded,) = overview(user, [room])
    return encoded


def people_known_to(user: User, ids: list[int], *, field: str) -> list[User]:
    """These users, all of whom `user` may know of. Raises NotFound."""
    found = {person.pk: person for person in known_to(user).filter(pk__in=ids)} if ids else {}
    if not found.keys() >= set(ids):
        raise NotFound(details={field: ["There is nobody like that here."]})
    return list(found.values())


def robots_known_to(user: User, ids: list[int]) -> list[User]:
    """The users that these robots are. Raises NotFound."""
    found = {robot.pk: robot.user for robot in Robot.objects.known_to(user).filter(pk__in=ids)}
    if not found.keys() >= set(ids):
        raise NotFound(details={"robots": ["There is no such robot."]})
    return list(found.values())


def must_be_no_robots(people: Iterable[User], *, field: str) -> None:
    """Robots are seated by other ways. Raises Invalid."""
    if any(person.is_robot for person in people):
        raise Invalid(details={field: ["Robots are not brought in as people."]})


def _scope(user: User, scope: str) -> QuerySet[Room]:
    if scope == "public":
        return Room.objects.public_for(user)
    if scope == "desk":
        return Room.objects.desk_for(user)
    return Room.objects.for_user(user).top()


def _named(rooms: QuerySet[Room], text: str, user: User) -> QuerySet[Room]:
    """Whose name has `text` in it; a direct room's is the other one's."""
    others = Participant.objects.filter(room=OuterRef("pk"), user__name__icontains=text).exclude(
        user=user
    )
    return rooms.filter(Q(name__icontains=text) | Q(direct_key__isnull=False) & Exists(others))
