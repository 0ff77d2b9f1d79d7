"""What one is told of, having read it, and how one wants to be told."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import PublicUser
from accounts.api_calls import asked, caller, valid
from accounts.api_fields import TextField
from accounts.api_schema import errors
from accounts.authentication import current_login
from accounts.errors import NotFound
from notifications import webpush
from notifications.encoding import encode_for
from notifications.interest import Reason
from notifications.models import Notification, Preferences, Subscription
from rooms.api.fields import ChoiceField, IdField, IdListField, TruthField
from rooms.api.pages import PAGING, Page, Paging, page
from rooms.models import Participant


class RoomName(serializers.Serializer[Any]):
    """Where it was said."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class NotificationSerializer(serializers.Serializer[Any]):
    """That one is told of a message."""

    id = serializers.IntegerField()
    reason = serializers.ChoiceField(Reason.choices)
    room = RoomName()
    message = serializers.IntegerField(help_text="Its id.")
    author = PublicUser()
    excerpt = serializers.CharField()
    unread = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class Unread(serializers.Serializer[Any]):
    """How many wait."""

    unread = serializers.IntegerField(help_text="100 stands for more than 99.")


class NotificationPage(Page, Unread):
    """Some of them, the newest first."""

    results = NotificationSerializer(many=True)


class Having(serializers.Serializer[Any]):
    """Which ones: some, or all up to one of them, or all there are."""

    notifications = IdListField(required=False)
    upto = IdField(required=False)


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
class ClockField(serializers.TimeField):
    """Hours and minutes where somebody is: 22:30. What is finer is dropped."""

    def __init__(self, **how: Any) -> None:
        super().__init__(format="%H:%M", **how)


class NotificationPreferences(serializers.Serializer[Preferences]):
    """How somebody wants to be told, over all rooms."""

    level = ChoiceField(
        [("", "As the site has it"), *Participant.Notify.choices],
        required=False,
        help_text="What rooms tell of that one enters from now on.",
    )
    browser = TruthField(required=False)
    sounds = TruthField(required=False)
    mail = TruthField(required=False)
    push = TruthField(required=False)
    quiet_from = ClockField(required=False, allow_null=True)
    quiet_until = ClockField(required=False, allow_null=True)
    quiet_days = serializers.JSONField(
        required=False, help_text="Of the week: 0 is Monday, 6 is Sunday."
    )


class NotificationsView(APIView):
    """What one is told of."""

    @extend_schema(
        operation_id="list_notifications",
        parameters=PAGING,
        responses={200: NotificationPage, **errors(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """The newest first."""
        user = caller(request)
        mine = Notification.objects.for_user(user)
        rows, following = page(mine.with_messages(), asked(Paging, request), newest_first=True)
        return Response(
            {
                "results": encode_for(rows),
                "next": following,
                "unread": Notification.objects.count_unread(user),
            }
        )


class ReadView(APIView):
    """Having read them."""

    @extend_schema(
        operation_id="read_notifications",
        request=Having,
        responses={200: Unread, **errors(400, 401)},
    )
    def post(self, request: Request) -> Response:
        """Put them away. What is read in its room is read here by itself."""
        user, given = caller(request), valid(Having, request.data)
        Notification.objects.put_away(
            by=user, only=given.get("notifications"), upto=given.get("upto")
        )
        return Response({"unread": Notification.objects.count_unread(user)})


class PreferencesView(APIView):
    """How one wants to be told."""

    @extend_schema(
        operation_id="read_notification_preferences",
        responses={200: NotificationPreferences, **errors(401)},
    )
    def get(self, request: Request) -> Response:
        """As I have chosen, or as it is until I do."""
        return Response(NotificationPreferences(Preferences.objects.of(caller(request))).data)

    @extend_schema(
        operation_id="change_notification_preferences",
        request=NotificationPreferences,
        responses={200: NotificationPreferences, **errors(400, 401)},
    )
    def patch(self, request: Request) -> Response:
        """Choose; what is left out stays."""
        user, given = caller(request), valid(NotificationPreferences, request.data)
        own = Preferences.objects.of(user)
        own.change(by=user, **given)
        return Response(NotificationPreferences(own).data)


class Keys(serializers.Serializer[Any]):
    """What a browser gave to encrypt with."""

    p256dh = TextField(max_length=100)
    auth = TextField(max_length=30)


class NewSubscription(serializers.Serializer[Any]):
    """As `PushSubscription.toJSON()` has it."""

    endpoint = TextField(max_length=1000)
    keys = Keys()


class SubscriptionSerializer(serializers.Serializer[Subscription]):
    """A browser that is told while no page is open."""

    id = serializers.IntegerField()
    agent = serializers.CharField()
    created_at = serializers.DateTimeField()


class SubscriptionList(serializers.Serializer[Any]):
    """One's browsers, and what another one subscribes with."""

    key = serializers.CharField(help_text="The `applicationServerKey`.")
    results = SubscriptionSerializer(many=True)


class SubscriptionsView(APIView):
    """One's browsers."""

    @extend_schema(
        operation_id="list_subscriptions", responses={200: SubscriptionList, **errors(401)}
    )
    def get(self, request: Request) -> Response:
        """Those that are told."""
        mine = Subscription.objects.live().filter(user=caller(request)).order_by("-pk")
        shown = SubscriptionSerializer(mine, many=True).data
        return Response({"key": webpush.public_key(), "results": shown})

    @extend_schema(
        operation_id="subscribe",
        request=NewSubscription,
        responses={201: SubscriptionSerializer, **errors(400, 401)},
    )
    def post(self, request: Request) -> Response:
        """Have this browser told, until this sign-in ends."""
        given = valid(NewSubscription, request.data)
        made = Subscription.objects.subscribe(
            current_login(request), endpoint=given["endpoint"], **given["keys"]
        )
        return Response(SubscriptionSerializer(made).data, status=201)


class SubscriptionView(APIView):
    """One of them."""

    @extend_schema(operation_id="unsubscribe", responses={204: None, **errors(401, 404)})
    def delete(self, request: Request, subscription: int) -> Response:
        """Tell it no more."""
        gone, _ = Subscription.objects.filter(pk=subscription, user=caller(request)).delete()
        if not gone:
            raise NotFound
        return Response(status=204)
