"""What long conversations are summarised as."""

from __future__ import annotations

from django.contrib import admin
from django.contrib import messages as flash
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import who
from messages.admin import ContentAdmin
from robots.models import Summary
from rooms.models import Room


@admin.register(Summary)
class SummaryAdmin(ContentAdmin):
    """What robots are told of the beginning of long conversations."""

    list_display = [
        "id",
        "room",
        "audience",
        "robot",
        "upto",
        "tokens",
        "model",
        "made_at",
        "stale",
    ]
    list_filter = ["audience", "stale", "made_at"]
    list_select_related = ["room", "robot__user"]
    search_fields = ["=id", "=room__id", "room__name", "robot__user__handle"]
    ordering = ["-pk"]
    actions = ["forget"]

    def room_of(self, row: Summary) -> Room:
        """Of which conversation."""
        return row.room

    @admin.action(description="Forget: it is made anew from the messages")
    def forget(self, request: HttpRequest, queryset: QuerySet[Summary]) -> None:
        """By the verb."""
        pks = list(queryset.values_list("pk", flat=True))
        Summary.objects.forget(pks, by=who(request))
        self.message_user(request, "They are made anew when robots need them.", flash.SUCCESS)
