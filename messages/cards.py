"""Cards: messages that offer actions. Which app answers for a card is registered here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from accounts.errors import Conflict, Invalid

if TYPE_CHECKING:
    from accounts.models import User
    from messages.models import Message


class Unavailable(Conflict):
    """The card says why this cannot be done now."""

    code = "action_unavailable"


class Handler(Protocol):
    def __call__(self, card: Message, action: str, data: dict[str, Any], *, by: User) -> None: ...


_handlers: dict[str, Handler] = {}


def answers(name: str) -> Callable[[Handler], Handler]:
    """Have a function answer for the actions of all cards whose `data.card` is `name`."""

    def register(handler: Handler) -> Handler:
        _handlers[name] = handler
        return handler

    return register


def offer(name: str, label: str, *, why_not: str | None = None) -> dict[str, Any]:
    """An action as `data.actions` holds it; with a reason it is shown but not to be had."""
    return {"name": name, "label": label, "enabled": why_not is None, "why_not": why_not}


def run(card: Message, action: str, data: dict[str, Any], *, by: User) -> None:
    """Do what the card offers. Raises Invalid (no such action), Unavailable."""
    offered = next((a for a in card.data.get("actions", []) if a["name"] == action), None)
    if offered is None:
        raise Invalid(details={"action": ["This is not offered here."]})
    if not offered["enabled"]:
        raise Unavailable(offered["why_not"])
    _handlers[card.data["card"]](card, action, data, by=by)
