"""Questions of many at once: what is asked while others are being answered is answered together.

There is no timer, and what one asks costs no other the answer, though it may cost them time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import Context
from typing import Any, Generic, TypeVar

from django.db import connection

from live import database

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 64
"""Questions that are answered in one go."""


Turn = AbstractAsyncContextManager[Any]
"""Within which a lot is answered."""


def shared_turn() -> Turn:
    """For questions of several kinds that the same comers have, one kind after the other.

    SQLite answers on our own core: side by side, lots only take it from each other, and one by one
    they grow meanwhile, so that all who come take a fifth to a third less of it. A server is waited
    for, and there they would only wait for each other.
    """
    return asyncio.Lock() if connection.vendor == "sqlite" else nullcontext()


class Together(Generic[Q, A]):
    """`answer` takes questions and has an answer for each, or what it raises to who asked.

    It works for nobody in particular: what is done on behalf of one must not be done here.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]],
        turn: Turn | None = None,
    ) -> None:
        self._answer = answer
        self._turn = turn or nullcontext()
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._running: asyncio.Task[None] | None = None

    def ask(self, question: Q) -> asyncio.Future[A]:
        result: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, result))
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run(), context=Context())
        return result

    async def _run(self) -> None:
        try:
            while self._waiting:
                async with self._turn:
                    asked = self._next()  # who asked while others had their turn is among them
                    answers = await self._answer_all([question for question, _ in asked])
                for (_, result), answer in zip(asked, answers, strict=True):
                    if not result.done():
                        _settle(result, answer)
        finally:
            self._running = None

    def _next(self) -> list[tuple[Q, asyncio.Future[A]]]:
        """Of those who have not gone meanwhile."""
        here = [one for one in self._waiting if not one[1].done()]
        self._waiting = here[MOST:]
        return here[:MOST]

    async def _answer_all(self, questions: Sequence[Q]) -> Sequence[A | Exception]:
        """All in one go; where that fails, one by one: what one asks costs no other the answer."""
        if not questions:
            return []
        try:
            return await self._answer(questions)
        except Exception as problem:
            if len(questions) == 1 or database.is_out_of_reach(problem):
                return [problem] * len(questions)
        answers: list[A | Exception] = []
        for question in questions:
            answers.extend(await self._answer_all([question]))
            last = answers[-1]
            if isinstance(last, Exception) and database.is_out_of_reach(last):
                return [*answers, *[last] * (len(questions) - len(answers))]
        return answers


def _settle(result: asyncio.Future[A], answer: A | Exception) -> None:
    if isinstance(answer, Exception):
        result.set_exception(answer)
    else:
        result.set_result(answer)
