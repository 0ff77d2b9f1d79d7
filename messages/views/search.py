"""Searching all that one may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.errors import Invalid
from accounts.throttles import SearchThrottle, slow_down
from messages.search import Found, Hit
from messages.search import search as find
from messages.search_query import Filter
from messages.views.message import in_room
from rooms.ids import read_id
from rooms.views.seats import me
from rooms.views.sidebar import sidebar

SUGGESTED = 3
"""People and rooms of a page that it offers to look among alone."""


@require_safe
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """What was found, with ways to narrow it; without `q`, how to ask."""
    user, text = me(request), request.GET.get("q", "").strip()
    context: dict[str, Any] = {"query": text, "sidebar": sidebar(user, here="search")}
    if not text:
        return render(request, "messages/search.html", context)
    slow_down(SearchThrottle, request)
    try:
        found = find(text, by=user, before=read_id(request.GET.get("before", "")))
    except Invalid as error:
        context["error"] = error.message
        return render(request, "messages/search.html", context, status=error.status)
    context |= {
        "groups": _groups(found),
        "filters": [
            {"text": _label(one, found), "without": _asking(found.query.without(one))}
            for one in found.query.filters
        ],
        "narrower": list(_narrower(found)),
        "is_continued": "before" in request.GET,
        "next_page": f"{_asking(text)}&before={found.next}" if found.next else None,
    }
    return render(request, "messages/search.html", context)


def _label(one: Filter, found: Found) -> str:
    """As it was typed; a room that was meant by its number by its name."""
    room = read_id(one.value) if one.name == "in" else None
    name = found.rooms.names.get(room) if room else None
    return str(replace(one, value=name)) if name else str(one)


def _groups(found: Found) -> list[dict[str, Any]]:
    """What was said one after the other in the same room stands below its name."""
    return [
        {
            "room": found.rooms.rooms[room],
            "name": found.rooms.names[room],
            "hits": [
                {"hit": hit, "author": hit.message.author.public(), "url": in_room(hit.message)}
                for hit in hits
            ],
        }
        for room, hits in groupby(found.hits, key=lambda hit: hit.message.room_id)
    ]


def _narrower(found: Found) -> Iterable[dict[str, str]]:
    """What one may ask next: label and address."""
    query = found.query
    asked = {one.name for one in query.filters}

    def suggested(label: str, name: str, value: str) -> dict[str, str]:
        return {"label": label, "url": _asking(query.narrowed(name, value))}

    if "has" not in asked:
        yield suggested("With a file", "has", "file")
    if not asked & {"after", "before"}:
        week = timezone.now().date() - timedelta(8)
        yield suggested("Last seven days", "after", week.isoformat())
    if "in" not in asked:
        for room in _first(found.hits, lambda hit: hit.message.room_id):
            yield suggested(f"In {found.rooms.names[room]}", "in", found.rooms.word_for(room))
    if "from" not in asked:
        for author in _first(found.hits, lambda hit: hit.message.author):
            yield suggested(f"From {author.name}", "from", author.handle)


def _first(hits: Iterable[Hit], what: Any) -> list[Any]:
    """Each once, as they come; of one alone there is nothing to choose."""
    different = list(dict.fromkeys(what(hit) for hit in hits))
    return different[:SUGGESTED] if len(different) > 1 else []


def _asking(text: str) -> str:
    return f"?{urlencode({'q': text})}"
