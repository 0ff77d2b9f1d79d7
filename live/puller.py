"""What is new in the rooms that have a wake waiting: taken from the feed, all rooms in one go."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from live import database, feed
from live.room import LiveRoom

if TYPE_CHECKING:
    from live.hub import Hub

logger = logging.getLogger(__name__)


class Puller:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._wanted: set[int] = set()
        self._woken = asyncio.Event()

    def want(self, room_id: int) -> None:
        self._wanted.add(room_id)
        self._woken.set()

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            wanted, self._wanted = list(self._wanted), set()
            for begin in range(0, len(wanted), feed.ROOMS):
                await self._pull(wanted[begin : begin + feed.ROOMS])

    async def _pull(self, wanted: Sequence[int]) -> None:
        """Take what is new. What fails is tried again, and keeps no other room waiting for ever."""
        questions = [self._question(self._hub.rooms[pk]) for pk in wanted if pk in self._hub.rooms]
        failed: list[int] = []
        try:
            for news in await database.run(feed.read, questions) if questions else ():
                try:
                    self._take(news)
                except Exception:
                    logger.exception("News of a room could not be handed on; trying again.")
                    failed.append(news.question.room)
        except Exception:
            logger.exception("The feed could not be read; trying again.")
            failed = list(wanted)
        if failed:
            await asyncio.sleep(database.RETRY)
            for pk in failed:
                self.want(pk)

    def _question(self, room: LiveRoom) -> feed.Question:
        return feed.Question(
            room=room.pk,
            mark=room.mark,
            people_revision=room.people_revision,
            users=frozenset(room.roster) | room.expected,
            must_ask=bool(room.expected),
        )

    def _take(self, news: feed.News) -> None:
        room = self._hub.rooms.get(news.question.room)
        if room is None:
            return
        if self._is_outdated(room, news):
            self.want(room.pk)
            return
        if news.roster is not None:
            self._take_roster(room, news)
        room.mode = news.mode
        if news.bulletin is not None:
            self._hub.hand_on(room, news.bulletin)
        if room.mark is None:
            room.began = news.mark
        room.mark = news.mark
        self._hub.streams.tell_all_of(room)
        if news.behind:
            self.want(room.pk)

    def _is_outdated(self, room: LiveRoom, news: feed.News) -> bool:
        """Whether the room went on, or somebody came of whom the question knew nothing."""
        if room.mark != news.question.mark:
            return True
        unasked = room.roster.keys() - news.question.users
        if news.bulletin is not None and news.bulletin.origins and unasked:
            return True
        as_of = [room.roster[user].as_of for user in unasked]
        return news.roster is not None and min(as_of, default=news.people_revision) < (
            news.people_revision
        )

    def _take_roster(self, room: LiveRoom, news: feed.News) -> None:
        """Take the new roster, and act on it before anything newer is handed on."""
        roster = news.roster or {}
        room.people_revision = news.people_revision
        arrived = room.expected & roster.keys() - room.roster.keys()
        room.expected -= news.question.users
        seats = defaultdict(list)
        for seat in room.seats:
            seats[seat.socket.user_id].append(seat)
        departures = news.bulletin.departures() if news.bulletin else {}
        for user in news.question.users & room.roster.keys():
            listener = roster.get(user)
            if listener is None:
                self._hub.usher.show_out(room, user, departures.get(user, "removed"))
            else:
                self._hub.enlist(room, listener)
                for seat in seats.get(user, ()):
                    # Who has yet to be told anything is not told to forget it: what was read for
                    # them of earlier people is read again.
                    if seat.view_since is not None and seat.view_since < listener.view_since:
                        seat.view_since = listener.view_since
                        self._hub.usher.start_over(seat)
        for user in arrived:
            self._hub.enlist(room, roster[user])
            self._hub.activity.note(room.pk, [user])
        self._hub.forget_if_empty(room)
