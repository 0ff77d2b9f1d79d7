"""What the API's schema says about everything: the way in, and the one shape of errors."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer <access>`."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """An access token in the header."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ErrorDetail(serializers.Serializer[Any]):
    """What went wrong."""

    code = serializers.CharField(help_text="A name for programs, such as `room_archived`.")
    message = serializers.CharField(help_text="A sentence for people.")
    retryable = serializers.BooleanField(help_text="Whether the same call may work later.")
    details = serializers.DictField(help_text="For `invalid`: what is wrong, by field.")


class Error(serializers.Serializer[Any]):
    """Every error, on HTTP and socket."""

    error = ErrorDetail()


def errors(*statuses: int) -> dict[int, type[Error]]:
    """These statuses, for `extend_schema(responses=…)`; 429 and 503 can come from anywhere."""
    return dict.fromkeys((*statuses, 429, 503), Error)
