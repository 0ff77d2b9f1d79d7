"""Lists in pages: `{"results": […], "next": cursor or null}`, by id and never by offset."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from rooms.api.fields import LimitField, PlaceField

Row = TypeVar("Row", bound=Model)


class Paging(serializers.Serializer[Any]):
    """Which part of a list one wants."""

    cursor = PlaceField(help_text="`next` of the page before.")
    limit = LimitField(help_text="At most so many; never more than 200.")


class Page(serializers.Serializer[Any]):
    """Some of a list."""

    next = serializers.CharField(allow_null=True, help_text="The `cursor` of the next page.")


PAGING = [
    OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` of the page before."),
    OpenApiParameter(
        "limit", OpenApiTypes.INT, description="At most so many (50); never more than 200."
    ),
]


def page(
    rows: QuerySet[Row], asked: dict[str, Any], *, newest_first: bool = False
) -> tuple[list[Row], str | None]:
    """The part of `rows` asked for, and the cursor of what follows it."""
    if "cursor" in asked:
        bound = "pk__lt" if newest_first else "pk__gt"
        rows = rows.filter(**{bound: asked["cursor"]})
    limit = asked["limit"]
    found = list(rows.order_by("-pk" if newest_first else "pk")[: limit + 1])
    following = str(found[limit - 1].pk) if len(found) > limit else None
    return found[:limit], following
