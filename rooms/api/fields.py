"""What calls may carry: stricter than REST framework's own, and never sent back in an error."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework import serializers

from rooms.ids import MAX_ID

LONGEST_LIST = 1000


class IdField(serializers.IntegerField):
    """Somebody's or something's id in a body: a number, and nothing a number could be read from."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Take integers alone."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class NumberField(serializers.IntegerField):
    """A number that is no id."""

    def to_internal_value(self, data: Any) -> int:
        """Take integers alone."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdListField(serializers.ListField):
    """Several ids."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=IdField(), max_length=LONGEST_LIST, **kwargs)


class TruthField(serializers.BooleanField):
    """True or false, not "yes"."""

    def to_internal_value(self, data: Any) -> bool:
        """Take booleans alone."""
        if not isinstance(data, bool):
            self.fail("invalid", input="")
        return data


class ChoiceField(serializers.ChoiceField):
    """One of some words."""

    default_error_messages = {"invalid_choice": "Choose one of those there are."}

    def to_internal_value(self, data: Any) -> Any:
        """Take strings alone."""
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


class UUIDField(serializers.UUIDField):
    """A UUID in its usual spelling."""

    default_error_messages = {"invalid": "This is not a UUID."}

    def to_internal_value(self, data: Any) -> UUID:
        """Take strings alone: a number would be one too."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LimitField(serializers.IntegerField):
    """How many one wants at most; more than there may be is as many as there may be."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, default=lambda: settings.CHAT_PAGE_SIZE, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """At most the largest page."""
        wanted: int = super().to_internal_value(data)
        return min(wanted, int(settings.CHAT_PAGE_MAX))


class PlaceField(serializers.IntegerField):
    """An id in a query string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_ID, required=False, **kwargs)
