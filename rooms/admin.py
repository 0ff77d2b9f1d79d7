"""Rooms in the Django admin. What changes a room goes through its verbs; its words are not here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib import messages as flash
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin import ReadOnlyAdmin, who
from accounts.errors import DomainError
from rooms.models import Invitation, Participant, Room

# What people said and noted. It is read where reading leaves an audit entry, and nowhere else.
CONTENT = frozenset(
    {
        *("body", "html", "data", "name", "file", "file_names"),
        *("instruction", "goal", "why_message", "error_message"),
    }
)


class DiscreetAdmin(ReadOnlyAdmin):
    """To look at, and not to be searched for words by what one types into the address."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """To filter by content is to read it unseen."""
        if CONTENT.intersection(lookup.split("__")):
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def do(self, request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any], object]) -> None:
        """The verb for each row; what it refuses is told, and the others go on."""
        done = 0
        for row in rows:
            try:
                verb(row)
                done += 1
            except DomainError as error:
                self.message_user(request, f"{row}: {error.message}", flash.ERROR)
        if done:
            self.message_user(request, f"Done for {done}.", flash.SUCCESS)


def list_of(model: type[Model], label: str, **filters: Any) -> SafeString:
    """A link to the rows of a model that belong to something."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', address, query, label)


@admin.register(Room)
class RoomAdmin(DiscreetAdmin):
    """Every room there is."""

    list_display = [
        "id",
        "__str__",
        "mode",
        "state",
        "visibility",
        "outcome",
        "message_count",
        "people",
        "created_at",
    ]
    list_display_links = ["id", "__str__"]
    list_filter = ["mode", "state", "visibility", "outcome", "created_at", "closed_at"]
    search_fields = [
        "name",
        "description",
        "participants__user__handle",
        "participants__user__name",
    ]
    date_hierarchy = "created_at"
    ordering = ["-pk"]
    actions = ["close", "reopen", "archive"]
    fieldsets = [
        (None, {"fields": ["name", "description", "mode", "visibility", "history"]}),
        ("How things stand", {"fields": ["state", "outcome", "outcome_note", "people", "links"]}),
        (
            "When",
            {"fields": ["created_by", "created_at", "waiting_since", "closed_at", "archived_at"]},
        ),
        ("Its feed", {"fields": ["revision", "people_revision", "newest", "message_count"]}),
    ]

    @admin.display(description="People")
    def people(self, room: Room) -> SafeString:
        """A way to who is in it."""
        return list_of(Participant, "people", room__id__exact=room.pk)

    @admin.display(description="Invitations")
    def links(self, room: Room) -> SafeString:
        """A way to the links that lead into it."""
        return list_of(Invitation, "invitations", room__id__exact=room.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """All of them, and the two that are made here."""
        return ["people", "links"]

    @admin.action(description="Close, outcome unknown")
    def close(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda room: room.close(by=who(request)))

    @admin.action(description="Reopen")
    def reopen(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda room: room.reopen(by=who(request)))

    @admin.action(description="Archive what is closed")
    def archive(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        """Each by the verb."""
        self.do(request, queryset, lambda room: room.archive(by=who(request)))


@admin.register(Participant)
class ParticipantAdmin(DiscreetAdmin):
    """Who is in which room, as what."""

    list_display = ["user", "room", "role", "joined_at", "invited_by"]
    list_filter = ["role", "room__mode", "room__state", "joined_at"]
    list_select_related = ["user", "room", "invited_by"]
    search_fields = ["user__handle", "user__name", "room__name"]
    ordering = ["-pk"]
    actions = ["remove"]

    @admin.action(description="Remove from the room")
    def remove(self, request: HttpRequest, queryset: QuerySet[Participant]) -> None:
        """Each by the verb."""
        seats = queryset.select_related("room", "user")
        self.do(request, seats, lambda seat: seat.room.remove(seat.user, by=who(request)))


@admin.register(Invitation)
class InvitationAdmin(DiscreetAdmin):
    """The links that lead into rooms. What makes one work is kept nowhere."""

    list_display = [
        "id",
        "room",
        "role",
        "created_by",
        "created_at",
        "expires_at",
        "uses_left",
        "revoked_at",
    ]
    list_filter = ["role", "expires_at", "revoked_at"]
    list_select_related = ["room", "created_by"]
    search_fields = ["room__name", "created_by__handle", "created_by__name"]
    ordering = ["-pk"]
    exclude = ["token_hash"]
    actions = ["revoke"]

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Each by the verb."""
        invitations = queryset.select_related("room")
        self.do(request, invitations, lambda invitation: invitation.revoke(by=who(request)))
