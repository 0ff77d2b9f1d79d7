"""The small pieces every page is put together from: icons, avatars, times, badges."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import orjson
from django import template
from django.conf import settings
from django.template import Context, Engine
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User

register = template.Library()

DRAWN = 2_048
"""Avatars that are kept as they were drawn, and as many other parts of pages: some three megabytes
both, besides what they are kept by.
"""

SHOWN_OF_OTHERS = ("id", "name", "kind", "avatar", "presence")
"""As `avatar` has them."""

ROLE_WORDS = {
    "owner": "Owner",
    "viewer": "Viewer",
    "customer": "Customer",
    "agent": "Agent",
    "supervisor": "Supervisor",
    "robot": "Robot",
}


@cache
def module_addresses() -> tuple[str, ...]:
    return tuple(static(f"js/{name}") for name in _modules())


@cache
def _modules() -> tuple[str, ...]:
    """Those of pages; the service worker's scripts, in `sw/`, are no modules."""
    root = Path(settings.BASE_DIR) / "static" / "js"
    names = (path.relative_to(root) for path in root.rglob("*.js"))
    return tuple(sorted(name.as_posix() for name in names if name.parts[0] != "sw"))


@register.simple_tag
def import_map(nonce: str) -> SafeString:
    """The names our modules know each other by, and where this release keeps them."""
    return format_html('<script type="importmap" nonce="{}">{}</script>', nonce, _imports())


@cache
def _imports() -> SafeString:
    names = (f"chat/{name.removesuffix('.js')}" for name in _modules())
    imports = dict(zip(names, module_addresses(), strict=True))
    return mark_safe(json.dumps({"imports": imports}))  # noqa: S308  # addresses of our own files


@register.simple_tag
@cache
def icon(name: str, small: bool = False) -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="#icon-{}"/></svg>',
        " icon-small" if small else "",
        name,
    )


@register.simple_tag
def avatar(
    user: User | Mapping[str, Any], small: bool = False, presence: bool = False
) -> SafeString:
    """A picture, or a first letter on a colour of their own. The name itself stands beside it.

    Of robots nobody asks whether they are there.
    """
    person = user.public() if isinstance(user, User) else user
    return _avatar(
        person["id"],
        (person["name"] or "?")[:1].upper(),
        person["kind"],
        person.get("avatar"),
        small,
        (person.get("presence") or "offline") if presence else None,
    )


@lru_cache(DRAWN)
def _avatar(
    pk: int, letter: str, kind: str, picture: str | None, small: bool, state: str | None
) -> SafeString:
    face: str | SafeString = letter
    if picture:
        face = format_html('<img src="{}" alt="" loading="lazy">', picture)
    elif kind == "robot":
        face = icon("robot", small=small)
    dot: str | SafeString = ""
    if state and kind != "robot":
        dot = format_html(
            '<span class="presence" data-presence="{}" data-state="{}" role="img" aria-label="{}">'
            "</span>",
            pk,
            state,
            state,
        )
    return format_html(
        '<span class="avatar{}" data-tint="{}" data-kind="{}">'
        '<span aria-hidden="true">{}</span>{}</span>',
        " avatar-small" if small else "",
        pk % 10,
        kind,
        face,
        dot,
    )


@register.simple_tag
def drawn(template: str, /, **values: Any) -> SafeString:
    """A template that shows nothing but these values, kept by them: pages have some of hundreds of
    people and rooms, the same from page to page.
    """
    return _drawn(template, orjson.dumps(values))


@lru_cache(DRAWN)
def _drawn(name: str, values: bytes) -> SafeString:
    found = Engine.get_default().get_template(name)
    return found.render(Context(orjson.loads(values), use_l10n=False))


@register.simple_tag
def room_row(room: Mapping[str, Any], current: int | None) -> SafeString:
    """A room in the list of one's rooms, kept by no more than it shows, or it were never met again.

    `current` is the id of the room that the page is of.
    """
    other = room["other"]
    return drawn(
        "rooms/_room_row.html",
        id=room["id"],
        name=room["name"],
        kind=room_kind(room),
        icon=room_icon(room),
        state=room["state"],
        muted=room["me"]["muted"],
        unread=room["unread"],
        mentions=room["mentions"],
        other=other and {key: other.get(key) for key in SHOWN_OF_OTHERS},
        is_current=room["id"] == current,
    )


@register.simple_tag
def role_badge(person: Mapping[str, Any], quiet_owner: bool = False) -> SafeString | str:
    """What somebody is here, where that is worth a word; that they are a guest always is."""
    role = "" if quiet_owner and person.get("role") == "owner" else person.get("role") or ""
    words = "Guest" if person["kind"] == "guest" else ROLE_WORDS.get(role, "")
    accent = " badge-accent" if role in ("agent", "supervisor") else ""
    return format_html('<span class="badge{}">{}</span>', accent, words) if words else ""


@register.simple_tag
def status_sign(status: Mapping[str, Any] | None) -> SafeString | str:
    """What somebody says of themselves, as a sign beside their name; static/js/status.js does so
    later on.
    """
    if not status:
        return ""
    words = status["text"] or f"Status: {status['emoji']}"
    return format_html(
        '<span class="status-sign" role="img" aria-label="{}" title="{}">{}</span>',
        words,
        words,
        status["emoji"],
    )


@register.simple_tag
def moment(when: str | datetime, ago: bool = False, day: bool = False) -> SafeString:
    """A time in UTC, which the page's script turns into the reader's own."""
    at = datetime.fromisoformat(when) if isinstance(when, str) else when
    if day:
        style, words = "day", f"{at.day} {at:%B}"
    elif ago:
        style, words = "ago", f"{at.day} {at:%b, %H:%M}"
    else:
        style, words = "clock", f"{at:%H:%M}"
    return format_html(
        '<time datetime="{}" data-style="{}" title="{} UTC">{}</time>',
        at.isoformat(),
        style,
        f"{at.day} {at:%B %Y, %H:%M}",
        words,
    )


@register.filter
def days_ago(day: str) -> str:
    """A day of the past, no more exactly than anybody needs to know."""
    days = (timezone.now().date() - date.fromisoformat(day)).days
    near = {0: "today", 1: "yesterday"}
    return near.get(days, "this week" if days < 7 else "this month" if days < 30 else "long ago")


@register.filter
def room_icon(room: Mapping[str, Any]) -> str:
    if room.get("parent"):
        return "beside"
    if room["mode"] == "support":
        return "support"
    return "hash" if room["visibility"] == "public" else "lock"


@register.filter
def room_kind(room: Mapping[str, Any]) -> str:
    return "direct" if room.get("other") else room["mode"]


@register.filter
def at(things: Mapping[Any, Any], key: object) -> Any:
    """What there is under this key, or None."""
    return things.get(key)


@register.filter
def seconds(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


@register.filter
def dollars(amount: float | Decimal | None) -> str:
    """A price in US dollars: of a small one, as much as says something."""
    if amount is None:
        return "unknown"
    if not amount:
        return "nothing"
    if amount >= 0.1:
        return f"${amount:.2f}"
    return f"${Decimal(f'{amount:.2g}'):f}"


@register.filter
def grouped(number: int) -> str:
    """12345 as 12,345."""
    return f"{number:,}"


@register.filter
def at_most_99(count: int | None) -> str:
    return "99+" if count and count > 99 else str(count or "")
