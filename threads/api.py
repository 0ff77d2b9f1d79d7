"""Side-bars: opening one beside a message, what the room around shows of them, sharing back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import PublicUser
from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.errors import NotFound
from accounts.throttles import CallThrottle, PostThrottle
from messages.api.messages import RENDER, answer, visible
from messages.api.shapes import MessageSerializer, PostedSerializer, encoded
from messages.audience import Audience
from rooms.api.fields import ChoiceField, IdListField, PlaceField, UUIDField
from rooms.api.pages import PAGING, Page, Paging, page
from rooms.api.rooms import people_known_to, seat_in
from rooms.models import Room
from rooms.models.room import NAME_MAX
from threads.models import ACCESS, Sidebar
from threads.stubs import encode_for, stubs_for


class LastSaid(serializers.Serializer[Any]):
    """What was said last."""

    id = serializers.IntegerField()
    author = PublicUser()
    created_at = serializers.DateTimeField()


class StubSerializer(serializers.Serializer[Any]):
    """A side-bar as the room around it shows it beside its message. What was whispered in it
    counts for nobody.
    """

    id = serializers.IntegerField(help_text="Of the room that it is.")
    anchor = serializers.IntegerField(help_text="Id of the message it is beside.")
    title = serializers.CharField()
    access = serializers.ChoiceField([(access.value, access.label) for access in ACCESS])
    state = serializers.ChoiceField(Room.State.choices)
    created_by = PublicUser(allow_null=True)
    created_at = serializers.DateTimeField()
    replies = serializers.IntegerField()
    last = LastSaid(allow_null=True)
    people = PublicUser(many=True, help_text="The first five who came.")
    people_count = serializers.IntegerField()
    conclusion = serializers.IntegerField(
        allow_null=True,
        help_text="Id of the message in the room around it that says it; null if it is whispered.",
    )
    concluded_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """As it was encoded."""
        return instance


class StubPage(Page):
    """Some side-bars."""

    results = StubSerializer(many=True)


class NewSidebar(serializers.Serializer[Any]):
    """A side-bar to be opened."""

    title = TextField(max_length=NAME_MAX, required=False, allow_blank=True, default="")
    access = ChoiceField(
        [(access.value, access.label) for access in ACCESS],
        default=Room.Visibility.OPEN.value,
        help_text="Open to all of the room but customers, or private to those invited.",
    )
    invite = IdListField(
        required=False, default=list, help_text="Ids of people and robots of the room, as users."
    )


class SidebarQuery(Paging):
    """Which side-bars one looks for."""

    anchor = PlaceField()


class SharedBack(serializers.Serializer[Any]):
    """What is to be said in the room around it."""

    client_id = UUIDField()
    messages = IdListField(help_text="Ids of messages of the side-bar.")
    audience = ChoiceField(Audience.choices)
    to = IdListField(required=False, default=list)
    body = TextField(
        trim_whitespace=False,
        required=False,
        allow_null=True,
        help_text="Left out: what the message says; of several, who said what.",
    )


class Conclusion(serializers.Serializer[Any]):
    """What came of it."""

    client_id = UUIDField()
    body = TextField(
        trim_whitespace=False,
        required=False,
        allow_blank=True,
        default="",
        help_text="Left out: the side-bar ends, and nothing is said.",
    )
    audience = ChoiceField(Audience.choices, required=False)
    to = IdListField(required=False, default=list)


class Concluded(serializers.Serializer[Any]):
    """A side-bar that ended, and the message that says so."""

    sidebar = StubSerializer()
    message = MessageSerializer(allow_null=True)


class AnchorView(APIView):
    """A message's side-bars."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="open_sidebar",
        request=NewSidebar,
        responses={201: StubSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, message: int) -> Response:
        """Open one: staff in support rooms, whoever may write in team rooms."""
        anchor, user, given = (
            visible(request, message),
            caller(request),
            valid(NewSidebar, request.data),
        )
        invite = people_known_to(user, given.pop("invite"), field="invite")
        sidebar = Sidebar.objects.open(anchor, by=user, invite=invite, **given)
        seat = seat_in(request, anchor.room_id)
        (stub,) = encode_for(seat, [sidebar])
        return Response(stub, status=201)


class SidebarsView(APIView):
    """The side-bars of a room."""

    @extend_schema(
        operation_id="list_sidebars",
        parameters=[
            OpenApiParameter("anchor", OpenApiTypes.INT, description="Those of this message."),
            *PAGING,
        ],
        responses={200: StubPage, **errors(400, 401, 404)},
    )
    def get(self, request: Request, room: int) -> Response:
        """Those one may know of, those opened last first."""
        seat, query = seat_in(request, room), asked(SidebarQuery, request)
        found = stubs_for(seat, anchors=[query["anchor"]] if "anchor" in query else None)
        rows, following = page(found, query, newest_first=True)
        return Response({"results": encode_for(seat, rows), "next": following})


class ShareView(APIView):
    """The way from a side-bar to the room around it."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="share_back",
        request=SharedBack,
        parameters=[RENDER],
        responses={200: PostedSerializer, 201: PostedSerializer, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, sidebar: int) -> Response:
        """Say one message again there, or several as one, with what one changed."""
        found, given = _sidebar(request, sidebar), valid(SharedBack, request.data)
        return answer(request, found.share(by=caller(request), **given))


class ConcludeView(APIView):
    """The end of a side-bar."""

    throttle_classes = (CallThrottle, PostThrottle)

    @extend_schema(
        operation_id="conclude_sidebar",
        request=Conclusion,
        parameters=[RENDER],
        responses={200: Concluded, **errors(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, sidebar: int) -> Response:
        """Say in the room around it what came of it, and write no more in it."""
        found, user = _sidebar(request, sidebar), caller(request)
        posted = found.conclude(by=user, **valid(Conclusion, request.data))
        (stub,) = encode_for(seat_in(request, found.room.parent_id or 0), [found])
        message = encoded(request, user, posted.message)[0] if posted else None
        return Response({"sidebar": stub, "message": message})


def _sidebar(request: Request, pk: int) -> Sidebar:
    """One that exists for the caller. Raises NotFound."""
    rooms = Room.objects.sidebars_for(caller(request)).filter(pk=pk)
    found: Sidebar | None = (
        Sidebar.objects.filter(room__in=rooms).select_related("room__created_by").first()
    )
    if found is None:
        raise NotFound
    return found
