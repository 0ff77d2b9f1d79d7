"""Where robots sit, and what rooms have chosen for them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import who
from robots.models import RobotPolicy, RobotSeat
from rooms.admin import DiscreetAdmin


@admin.register(RobotSeat)
class RobotSeatAdmin(DiscreetAdmin):
    """Where robots sit, and as what."""

    list_display = ["robot", "room", "title", "style"]
    list_filter = ["style", "participant__room__mode", "participant__room__state"]
    list_select_related = ["robot__user", "participant__room"]
    search_fields = ["robot__user__handle", "participant__room__name", "title"]
    ordering = ["-pk"]
    actions = ["remove"]

    @admin.display(description="Room")
    def room(self, seat: RobotSeat) -> str:
        """Where it is."""
        return str(seat.participant.room)

    @admin.action(description="Take out of the room")
    def remove(self, request: HttpRequest, queryset: QuerySet[RobotSeat]) -> None:
        """Each by the verb."""
        seats = queryset.select_related("participant__room", "robot__user")
        self.do(request, seats, lambda seat: seat.remove(by=who(request)))


@admin.register(RobotPolicy)
class RobotPolicyAdmin(DiscreetAdmin):
    """What rooms have chosen for the robots in them."""

    list_display = ["room", "when_busy"]
    list_filter = ["when_busy", "room__mode"]
    list_select_related = ["room"]
    search_fields = ["room__name"]
    ordering = ["-pk"]
