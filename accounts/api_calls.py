"""What every call of the API asks of its request: who calls, and whether what was sent fits."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from accounts.errors import NotAuthenticated
from accounts.models import User


def valid(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """What was sent, checked. Raises REST framework's ValidationError: 400 `invalid`."""
    filled = serializer(data=data)
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)


def asked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the query string asks for, checked likewise."""
    return valid(serializer, request.query_params.dict())


def caller(request: Request) -> User:
    """Who is calling, where somebody must be."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
