"""Telling workers of rows, after commit. A word that is lost is found again by the sweepers.

A thread of its own tells them: who posts does not wait for a broker, and even less for one that is
away. Where answers are written in this very process, its writers are told at once, without any.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from queue import Full, Queue
from threading import Thread
from typing import NamedTuple

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)


class Word(NamedTuple):
    task: str
    row: int
    after: timedelta = timedelta(0)


_words: Queue[Word] = Queue(maxsize=10_000)
_take: Callable[[int], None] | None = None


def written_here(take: Callable[[int], None] | None) -> None:
    """From now on this process writes answers, by `take`, which returns at once; or none."""
    global _take
    _take = take


def tell(reply: int) -> None:
    """Have a worker look at a reply, once this transaction is committed."""
    _after_commit(Word("run_reply", reply))


def tell_of_turn(session: int, *, after: timedelta = timedelta(0)) -> None:
    """Have a worker look, after a pause, whose turn it is in a session."""
    _after_commit(Word("advance_autopilot", session, after))


def _after_commit(word: Word) -> None:
    """Whatever becomes of it: what others do after the commit is done, too."""
    transaction.on_commit(lambda: _pass_on(word), robust=True)


def _pass_on(word: Word) -> None:
    if word.task == "run_reply" and _take is not None:
        _take(word.row)
        return
    _teller()
    try:
        _words.put_nowait(word)
    except Full:
        logger.warning("The broker has taken nothing for long: %s %s waits.", word.task, word.row)


@cache
def _teller() -> Thread:
    """The thread, started where there is something to tell."""
    thread = Thread(target=_tell_forever, name="telling", daemon=True)
    thread.start()
    return thread


def _tell_forever() -> None:
    while True:
        _send(_words.get())


def _send(word: Word) -> None:
    try:
        current_app.send_task(
            f"robots.tasks.{word.task}",
            [word.row],
            countdown=word.after.total_seconds() or None,
            retry=False,
        )
    except Exception as problem:
        # Whatever the broker's trouble is: the row is there, and the sweeper tells of it again.
        logger.warning("The broker took no word to %s %s: %s", word.task, word.row, problem)
