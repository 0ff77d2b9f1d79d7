"""One answer, from what the model is told to what became of it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

import structlog
from django.utils import timezone

from accounts.errors import DomainError
from live import database, streams
from robots import budget, context, llm, metrics, tokens
from robots.checkpoints import Checkpoint
from robots.heard import Heard, TooLong
from robots.models import Reply
from robots.outcome import SENTENCES, Outcome

logger = structlog.get_logger(__name__)


class Fate(Enum):
    """Why an answer ends before the model has ended it."""

    STOPPED = "somebody stopped it"
    GONE = "it is not ours to write any more"
    RESTARTED = "this process ends"


class Gone(Exception):
    """It is not ours to write any more."""


class Claim(NamedTuple):
    """What the database says about a reply that we hold."""

    reply: int
    attempt: int
    stop_requested_at: datetime | None
    lease_until: datetime
    people_revision: int


class Writer:
    """Writes one reply that was taken. Its text is told and kept together with that of others."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.key = (reply.pk, reply.attempt)
        self.message = reply.message
        """What it is written in, once that is committed."""
        self.heard = Heard(reply.message.body if reply.message else "")
        self.lease_until = reply.lease_until or timezone.now()
        self.people_revision = reply.room.people_revision
        self.over = False
        """What is told from now on is told by how it ended."""
        self.fate: Fate | None = None
        """Why it hears no more, where something was decided about it."""
        self._told = self._kept = len(self.heard.text)
        self._answers: list[llm.Answer] = []
        """All that was asked for it, the summary among them."""
        self._notice = ""
        self._reading: asyncio.Task[None] | None = None

    # Verbs

    async def write(self) -> None:
        """Have it answered and ended, whatever happens meanwhile."""
        self._reading = asyncio.create_task(self._read())
        if self.fate is not None:
            self._reading.cancel()
        await asyncio.wait([self._reading])
        self.over = True
        error = None if self._reading.cancelled() else self._reading.exception()
        if isinstance(error, budget.Waiting):
            logger.info("reply_waits_for_budget", reply=self.key[0])
        elif self.fate == Fate.GONE or isinstance(error, Gone | Reply.DoesNotExist):
            logger.info("reply_abandoned", reply=self.key[0], attempt=self.key[1])
        elif self.fate == Fate.RESTARTED:
            await self._break_off()
        elif self.fate == Fate.STOPPED or isinstance(error, Reply.Over):
            await self._end(self.reply.finish)
        elif self._is_silent(error):
            await self._end(self.reply.decline, *self._problem(error))
        else:
            await self._end(self.reply.finish, *self._problem(error))

    def end(self, fate: Fate) -> None:
        """Hear no more of it."""
        if self.over or self.fate is not None:
            return
        self.fate = fate
        if self._reading is not None:
            self._reading.cancel()

    def note(self, claim: Claim | None) -> None:
        """See what was decided about it elsewhere. None: it is not ours any more."""
        if claim is None:
            self.end(Fate.GONE)
        elif claim.stop_requested_at:
            self.end(Fate.STOPPED)
        else:
            self.lease_until, self.people_revision = claim.lease_until, claim.people_revision

    def delta(self) -> streams.Delta | None:
        """What people have not been told yet, told now."""
        message, text = self.message, self.heard.text
        if message is None or self.over or self._told == len(text) or not self._is_held:
            return None
        start, self._told = self._told, len(text)
        return streams.Delta(
            room=message.room_id,
            message=message.pk,
            attempt=self.key[1],
            offset=start,
            text=text[start:],
            author=message.author_id,
            audience=message.audience,
            to=message.to,
            people_revision=self.people_revision,
        )

    def checkpoint(self) -> Checkpoint | None:
        """What is not in the database yet, until it is `kept`."""
        text = self.heard.text
        if self.message is None or self._kept == len(text):
            return None
        return Checkpoint(self.message.pk, self.key[1], text)

    def kept(self, checkpoint: Checkpoint) -> None:
        self._kept = len(checkpoint.body)

    # What the verbs are made of

    def _is_silent(self, error: BaseException | None) -> bool:
        """It declines; or it was not asked by anybody, and may not or cannot answer."""
        if error is None:
            return self.heard.declined
        unasked = self.message is None and self.reply.is_quiet
        return unasked and isinstance(error, context.Unanswerable | DomainError)

    @property
    def _is_held(self) -> bool:
        """Whether nobody can have given it up: else all of this may be of the past."""
        return timezone.now() < self.lease_until

    async def _read(self) -> None:
        try:
            await self._ask()
        except llm.Failed as failed:
            if failed.code != "context_overflow" or self.heard.begun:
                raise
            await self._ask(window=await asyncio.to_thread(self._smaller_window))

    async def _ask(self, *, window: int | None = None) -> None:
        prepared = await context.prepare(self.reply, self._answers, window=window)
        self._notice = prepared.notice
        so_far = self.heard.text
        self.heard = Heard(
            so_far, may_decline=prepared.may_decline and not so_far, is_turn=self.reply.is_turn
        )
        answer = llm.Answer(prepared.call)
        self._answers.append(answer)
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                await self._hear(piece)
        await self._hear_end()

    def _smaller_window(self) -> int:
        """The model could not take in what it was sent."""
        return tokens.count_messages(self._answers[-1].call.messages) * 3 // 4

    async def _hear(self, piece: str) -> None:
        begun = self.heard.begun
        self.heard.add(piece)
        if self.heard.begun and not begun:
            await self._begin()

    async def _hear_end(self) -> None:
        begun = self.heard.begun
        self.heard.end()
        if self.heard.begun and not begun:
            await self._begin()
        # Where it went on, there may be nothing left to say.
        if not (self.heard.text or self.heard.declined or self.heard.is_at_goal):
            raise llm.Failed("empty_answer")

    async def _begin(self) -> None:
        """Its first word has come: nobody waits for it any longer than must be."""
        # Clocks are set right while something is asked, and may have been wrong by hours.
        waited = max(timezone.now() - self.reply.queued_at, timedelta(0))
        metrics.FIRST_WORD.observe(waited.total_seconds())
        self._tell()
        ttft_ms = round(waited.total_seconds() * 1000)
        if not await database.surely(self.reply.begin_streaming, ttft_ms=ttft_ms):
            raise Gone
        if self.message is None:
            self.message = await database.surely(self.reply.show)
            if self.message is None:
                raise Gone
            self._tell()

    def _tell(self) -> None:
        delta = self.delta()
        if delta is not None:
            streams.publish([delta])

    # How it ended

    def _problem(self, error: BaseException | None) -> tuple[str, str]:
        """The code of what went wrong, and a sentence about it."""
        match error:
            case None:
                return "", ""
            case llm.Failed() as failed:
                return failed.code, failed.message
            case context.Unanswerable() as unanswerable:
                return unanswerable.code, SENTENCES[unanswerable.code]
            case TooLong():
                return "too_long", llm.KINDS["too_long"].message
            case DomainError() as refused:
                return refused.code, refused.message
        self._log(error)
        return "unexpected", SENTENCES["unexpected"]

    def _log(self, error: BaseException) -> None:
        """Not in its own words: they may be those of the room."""
        logger.error(
            "reply_went_wrong",
            reply=self.key[0],
            error=type(error).__name__,
            where="".join(traceback.format_tb(error.__traceback__)),
        )

    def _outcome(self, code: str, sentence: str) -> Outcome:
        spent = llm.total([answer.usage for answer in self._answers]) if self._answers else None
        return Outcome(
            text=self.heard.text,
            is_at_goal=self.heard.is_at_goal,
            error=code,
            sentence=sentence,
            notice=self._notice,
            tokens_in=spent and spent.tokens_in,
            tokens_out=spent and spent.tokens_out,
            cost=spent and spent.cost,
            unpriced=bool(spent and spent.unpriced),
            model=spent.model if spent else "",
        )

    async def _break_off(self) -> None:
        """Another worker begins anew what has not begun; the rest is left as it is."""
        if self.heard.begun:
            await self._end(self.reply.finish, "restarted", SENTENCES["restarted"])
        else:
            await self._end(self.reply.put_back)

    async def _end(
        self, verb: Callable[[Outcome], bool], code: str = "", sentence: str = ""
    ) -> None:
        try:
            # Tokens are counted, of what may be long.
            outcome = await asyncio.to_thread(self._outcome, code, sentence)
            metrics.TOKENS.labels("read").inc(outcome.tokens_in or 0)
            metrics.TOKENS.labels("written").inc(outcome.tokens_out or 0)
            await database.surely(verb, outcome)
        except (DomainError, Reply.DoesNotExist):
            logger.info("reply_has_no_room", reply=self.key[0])
        except Exception as error:  # who sweeps finds it, once its lease has run out
            self._log(error)
