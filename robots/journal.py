"""What operators are told of each answer that ended: a line in the log, and figures."""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog
from django.db import transaction

from robots import metrics
from robots.models import Reply

logger = structlog.get_logger(__name__)


def note(reply: Reply) -> None:
    """Tell of one that has just ended, once that is committed. Of what was said, nothing."""
    ended = reply.ended_at or reply.queued_at
    line = {
        "reply": reply.pk,
        "robot": reply.robot_id,
        "model": reply.model,
        "state": str(reply.state),
        "code": reply.error_code,
        "attempt": reply.attempt,
        "ms": round((ended - reply.queued_at).total_seconds() * 1000),
        # Not named tokens: the log takes what is called so for a secret.
        "read": reply.tokens_in,
        "written": reply.tokens_out,
    }
    transaction.on_commit(partial(_tell, line))


def _tell(line: dict[str, Any]) -> None:
    logger.info("reply_ended", **line)
    metrics.ENDED.labels(line["state"]).inc()
