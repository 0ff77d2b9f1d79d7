"""Robots that take turns."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import who
from messages.admin import ContentAdmin
from robots.models import Autopilot
from rooms.models import Room


@admin.register(Autopilot)
class AutopilotAdmin(ContentAdmin):
    """Sessions of robots that take turns. What they are for is what somebody wrote."""

    list_display = [
        "id",
        "room",
        "strategy",
        "state",
        "why",
        "turns_taken",
        "turns",
        "started_by",
        "created_at",
        "ended_at",
    ]
    list_filter = ["state", "strategy", "why", "created_at"]
    list_select_related = ["room", "started_by"]
    search_fields = ["=id", "room__name", "started_by__handle"]
    ordering = ["-pk"]
    actions = ["pause", "stop"]

    def room_of(self, row: Autopilot) -> Room:
        """Where they take turns."""
        return row.room

    @admin.action(description="Pause: begin no further turn")
    def pause(self, request: HttpRequest, queryset: QuerySet[Autopilot]) -> None:
        """Each by the verb."""
        sessions = queryset.select_related("room")
        self.do(request, sessions, lambda session: session.pause(by=who(request)))

    @admin.action(description="Stop, and the turn that is being taken")
    def stop(self, request: HttpRequest, queryset: QuerySet[Autopilot]) -> None:
        """Each by the verb."""
        sessions = queryset.select_related("room")
        self.do(request, sessions, lambda session: session.stop(by=who(request)))
