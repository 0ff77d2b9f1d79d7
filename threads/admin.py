"""Side-bars, beside what they are about."""

from __future__ import annotations

from django.contrib import admin

from messages.admin import ContentAdmin
from rooms.models import Room
from threads.models import Sidebar


@admin.register(Sidebar)
class SidebarAdmin(ContentAdmin):
    """Which side-bars there are, and what became of them. What is said in them is under Rooms."""

    list_display = ["room", "parent", "anchor", "access", "state", "concluded_by", "concluded_at"]
    list_filter = ["room__visibility", "room__state", "concluded_at"]
    list_select_related = ["room__parent", "anchor", "concluded_by"]
    search_fields = ["=room__id", "room__name", "room__parent__name"]
    ordering = ["-pk"]

    def room_of(self, row: Sidebar) -> Room:
        """Where it is held."""
        return row.room

    @admin.display(ordering="room__parent")
    def parent(self, row: Sidebar) -> Room | None:
        """The room around it."""
        return row.room.parent

    def access(self, row: Sidebar) -> str:
        """Whom it is for."""
        return row.room.get_visibility_display()

    def state(self, row: Sidebar) -> str:
        """Of its room."""
        return row.room.get_state_display()
