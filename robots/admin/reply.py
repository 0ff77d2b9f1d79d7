"""How robots answered."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import who
from messages.admin import ContentAdmin
from robots.models import Reply
from rooms.models import Room


@admin.register(Reply)
class ReplyAdmin(ContentAdmin):
    """How robots answered, and what it took. The words are the message's."""

    list_display = [
        "id",
        "robot",
        "room",
        "state",
        "error_code",
        "model",
        "tokens_in",
        "tokens_out",
        "cost",
        "unpriced",
        "ttft_ms",
        "created_at",
    ]
    list_filter = [
        "state",
        "cause",
        "error_code",
        ("robot__user", admin.RelatedOnlyFieldListFilter),
        "created_at",
    ]
    list_select_related = ["robot__user", "room"]
    search_fields = [
        "=id",
        "=message__id",
        "=question__id",
        "robot__user__handle",
        "room__name",
        "model",
        "error_code",
    ]
    show_full_result_count = False
    ordering = ["-pk"]
    actions = ["retry", "stop"]

    def room_of(self, row: Reply) -> Room:
        """Where it was said."""
        return row.room

    @admin.action(description="Write anew")
    def retry(self, request: HttpRequest, queryset: QuerySet[Reply]) -> None:
        """Each by the verb."""
        replies = queryset.select_related("room")
        self.do(request, replies, lambda reply: reply.retry(by=who(request)))

    @admin.action(description="Stop")
    def stop(self, request: HttpRequest, queryset: QuerySet[Reply]) -> None:
        """Each by the verb."""
        replies = queryset.select_related("room")
        self.do(request, replies, lambda reply: reply.stop(by=who(request)))
