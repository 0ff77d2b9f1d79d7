"""Messages in the Django admin. History stands; and whoever reads it here leaves an audit entry."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse

from accounts.admin import who
from accounts.models import AuditEntry
from messages.markdown import excerpt
from messages.models import Attachment, EarlierText, Mention, Message, Reaction
from rooms.admin import DiscreetAdmin
from rooms.models import Room

ROOM = "room__id__exact"


def write_down(request: HttpRequest, room: Room, **what: Any) -> None:
    """That an admin saw what was said in a room."""
    AuditEntry.objects.record("admin.viewed", on=room, by=who(request), after=what)


def chosen_rooms(request: HttpRequest) -> list[Room]:
    """Those whose list is asked for. Whatever else the address says, no other room's is shown."""
    try:
        numbers = [int(number) for number in request.GET.getlist(ROOM)]
    except ValueError:
        return []
    return [room for number in numbers for room in Room.objects.filter(pk=number)]


class ContentAdmin(DiscreetAdmin):
    """Rows that hold what people said. To open one is to read it."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write it down, then show it."""
        row = self.get_object(request, unquote(object_id))
        if row is not None and self.has_view_permission(request, row):
            write_down(request, self.room_of(row), **{row._meta.model_name or "": row.pk})
        page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return page

    def room_of(self, row: Any) -> Room:
        """Where it was said."""
        room: Room = row.message.room
        return room


@admin.register(Message)
class MessageAdmin(ContentAdmin):
    """What was said. Of one room, chosen by the filter in the address, also in which words."""

    list_display = [
        "id",
        "room",
        "author",
        "kind",
        "audience",
        "status",
        "created_at",
        "deleted_at",
    ]
    list_filter = ["kind", "audience", "status", "room__mode", "created_at", "deleted_at"]
    list_select_related = ["room", "author"]
    search_fields = ["=id", "=room__id", "room__name", "author__handle", "author__name"]
    show_full_result_count = False
    ordering = ["-pk"]
    fields = [
        "room",
        "author",
        "author_role",
        "kind",
        "status",
        "audience",
        "to",
        "body",
        "data",
        "reply_to",
        "shared_from",
        "mentions_everyone",
        "revision",
        "version",
        "created_at",
        "edited_at",
        "deleted_at",
        "deleted_by",
    ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """With the words, where it is one room's list, which is written down."""
        return [*self.list_display, *(["words"] if chosen_rooms(request) else [])]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """By words likewise: in the list, and not where other pages look messages up unseen."""
        at = request.resolver_match
        listed = at is not None and at.url_name == "chat_messages_message_changelist"
        return [*self.search_fields, *(["body"] if listed and chosen_rooms(request) else [])]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Write it down where a room's words are shown, then show them."""
        if self.has_view_permission(request):
            for room in chosen_rooms(request):
                write_down(request, room, page=request.GET.get("p"), search=request.GET.get("q"))
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def room_of(self, row: Message) -> Room:
        """Its own."""
        return row.room

    @admin.display(description="Words")
    def words(self, message: Message) -> str:
        """How it begins."""
        return excerpt(message.body)


@admin.register(EarlierText)
class EarlierTextAdmin(ContentAdmin):
    """What edited messages said before."""

    list_display = ["id", "message", "replaced_at"]
    list_filter = ["replaced_at"]
    list_select_related = ["message"]
    search_fields = ["=message__id", "message__author__handle"]
    raw_id_fields = ["message"]
    ordering = ["-pk"]


@admin.register(Attachment)
class AttachmentAdmin(ContentAdmin):
    """The files. What is in them is downloaded only by those who may see their messages."""

    list_display = ["id", "room", "uploader", "message", "type", "size", "created_at"]
    list_filter = ["type", "created_at"]
    list_select_related = ["room", "uploader", "message"]
    search_fields = ["=id", "=message__id", "room__name", "uploader__handle", "type"]
    exclude = ["file", "thumbnail"]
    ordering = ["-pk"]

    def room_of(self, row: Attachment) -> Room:
        """Where it was uploaded."""
        return row.room


@admin.register(Reaction)
class ReactionAdmin(DiscreetAdmin):
    """The emoji under messages."""

    list_display = ["emoji", "user", "message", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["user", "message"]
    search_fields = ["emoji", "user__handle", "=message__id"]
    ordering = ["-pk"]


@admin.register(Mention)
class MentionAdmin(DiscreetAdmin):
    """Who was named where."""

    list_display = ["id", "user", "message"]
    list_select_related = ["user", "message"]
    search_fields = ["user__handle", "=message__id"]
    list_filter = ["message__created_at"]
    ordering = ["-pk"]
