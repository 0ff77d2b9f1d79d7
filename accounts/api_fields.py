"""Fields of the API's serializers, stricter than REST framework's own."""

from __future__ import annotations

from typing import Any, NoReturn

from rest_framework import serializers


class TextField(serializers.CharField):
    """Text and nothing that could be made text of: a number is a wrong type."""

    def to_internal_value(self, data: Any) -> str:
        """Take strings alone."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """As every field fails; said here so that the type is known."""
        super().fail(key, **kwargs)
        raise AssertionError(key)
