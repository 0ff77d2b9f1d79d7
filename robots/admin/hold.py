"""Where the loop guard stopped robots."""

from __future__ import annotations

from django.contrib import admin

from robots.models import HeldSummons, Hold
from rooms.admin import DiscreetAdmin


@admin.register(Hold)
class HoldAdmin(DiscreetAdmin):
    """Where the loop guard stopped robots that answered each other."""

    list_display = ["id", "room", "reason", "created_at", "released_by", "released_at"]
    list_filter = ["reason", "created_at", "released_at"]
    list_select_related = ["room", "released_by"]
    search_fields = ["=id", "room__name", "released_by__handle"]
    ordering = ["-pk"]


@admin.register(HeldSummons)
class HeldSummonsAdmin(DiscreetAdmin):
    """Which robots it stopped, and at which messages."""

    list_display = ["id", "hold", "robot", "question"]
    list_select_related = ["hold", "robot__user", "question"]
    search_fields = ["=hold__id", "robot__user__handle", "=question__id"]
    ordering = ["-pk"]
