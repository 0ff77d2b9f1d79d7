"""Having a summary written by the model that is to answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import Error

from accounts.errors import NotFound
from live import database
from robots import llm, transcript
from robots.models import Summary

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """A summary that is to be written."""

    summary: Summary
    call: llm.Call
    longest: int
    """Tokens."""

    async def keep(self, answer: llm.Answer) -> None:
        """Have it written, in answer to `call`, and keep it. Where that fails, there is none."""
        text = ""
        try:
            async for piece in answer.pieces():
                text += piece
        except llm.Failed as failed:
            if failed.code != "too_long":  # it was told how long it may be; what there is will do
                return
        body = transcript.cut(text.strip(), self.longest)
        try:
            await database.run(self.summary.keep, body, model=answer.model)
        except (Error, NotFound) as problem:
            logger.warning("A summary could not be kept: %s", type(problem).__name__)
