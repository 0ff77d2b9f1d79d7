"""Who was told of what, and how they want to be told. What was said is under Messages."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from notifications.models import Delivery, Notification, Preferences, Subscription


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """That somebody is told of a message: not what it says."""

    list_display = ["id", "user", "reason", "room", "message", "created_at", "read_at", "mail_due"]
    list_filter = ["reason", "created_at", "read_at"]
    list_select_related = ["user", "room", "message"]
    search_fields = ["user__handle", "=room__id", "=message__id"]
    show_full_result_count = False
    ordering = ["-pk"]


@admin.register(Preferences)
class PreferencesAdmin(ReadOnlyAdmin):
    """Everybody's own to choose."""

    list_display = ["user", "level", "browser", "sounds", "mail", "quiet_from", "quiet_until"]
    list_filter = ["level", "browser"]
    list_select_related = ["user"]
    search_fields = ["user__handle", "user__name"]
    ordering = ["user__handle"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What went to whom, outside of the page, and what does not get through."""

    list_display = ["user", "channel", "sent_at", "failures", "lease_until"]
    list_filter = ["channel", "failures"]
    list_select_related = ["user"]
    search_fields = ["user__handle", "user__name"]
    ordering = ["-sent_at"]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Which browsers are told while no page is open; not under which address."""

    list_display = ["user", "agent", "created_at", "failures", "retry_at"]
    list_filter = ["failures", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__handle", "user__name", "agent"]
    fields = ["user", "login", "agent", "created_at", "failures", "retry_at"]
    ordering = ["-pk"]
