"""What people do with answers, and with robots that answer each other: their messages offer it."""

from typing import Any

from accounts.errors import NotFound
from accounts.models import User
from messages import cards
from messages.models import Message
from robots import autopilot_card
from robots.encoding import CARD, RETRY
from robots.models import Autopilot, Hold, Reply, hold


def reply_of(message: Message) -> Reply:
    """The reply that a message is. Raises NotFound where nobody's robot wrote it."""
    reply: Reply | None = Reply.objects.filter(message=message).first()
    if reply is None:
        raise NotFound
    return reply


@cards.answers(CARD)
def act(card: Message, action: str, data: dict[str, Any], *, by: User) -> None:
    """Raises NotFound, and what `retry` and `go_on` do."""
    reply = reply_of(card)
    if action == RETRY:
        reply.retry(by=by)
    else:
        reply.go_on(by=by)


@cards.answers(hold.CARD)
def let_go_on(card: Message, action: str, data: dict[str, Any], *, by: User) -> None:
    """Raises Forbidden, Room.Closed, Hold.Released."""
    Hold.objects.get(card=card).release(by=by)


@cards.answers(autopilot_card.CARD)
def steer(card: Message, action: str, data: dict[str, Any], *, by: User) -> None:
    """Raises Forbidden, Room.Closed, Autopilot.Over."""
    session = Autopilot.objects.get(card=card)
    verbs = {
        autopilot_card.PAUSE: session.pause,
        autopilot_card.RESUME: session.resume,
        autopilot_card.STOP: session.stop,
    }
    verbs[action](by=by)
