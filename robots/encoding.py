"""An answer as PROTOCOL has it, in `data` of its message; and what people may do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from messages import cards

if TYPE_CHECKING:
    from robots.models import Reply

CARD = "reply"
RETRY, CONTINUE = "retry", "continue"


def encode(reply: Reply) -> dict[str, Any]:
    failed = reply.error_code and {"code": reply.error_code, "message": reply.error_message}
    encoded = {
        "id": reply.pk,
        "robot": reply.robot_id,
        "state": reply.state,
        "attempt": reply.attempt,
        "error": failed or None,
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "cost": None if reply.cost is None or reply.unpriced else float(reply.cost),
        "ttft_ms": reply.ttft_ms,
        "stopped_by": reply.stopped_by_id,
        "model": reply.model,
        "notice": reply.notice,
    }
    return {"reply": encoded, "card": CARD, "actions": _actions(reply)}


def _actions(reply: Reply) -> list[dict[str, Any]]:
    if reply.state not in (reply.State.FAILED, reply.State.STOPPED):
        return []
    offered = [cards.offer(RETRY, "Retry")]
    if reply.message is not None and reply.message.body:
        offered.append(cards.offer(CONTINUE, "Continue"))
    return offered
