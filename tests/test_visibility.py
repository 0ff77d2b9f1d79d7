"""Whoever may read a message is told of it, and nobody else: on every surface, at all times.

People join, leave, are promoted and demoted, talk to all audiences, reply, share, edit, delete,
react and read. They open side-bars, open and private, come by, are invited, share back from them
and conclude them. After every step the query, the live mirror and all that is built on them are
held against `tests.model.Oracle`, which knows only SPEC.

CHAT_TESTS_EXAMPLES=1000 looks further, elsewhere each time, and shrinks what it finds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts.errors import DomainError
from accounts.models import User
from accounts.times import iso
from messages.audience import Reader
from messages.encoding import encode_for
from messages.history import History
from messages.models import Attachment, Message
from messages.overview import overview
from messages.posting import Draft
from rooms.models import Participant, Room
from tests.model import CHOOSABLE, Oracle, Place, Refused, Said, Seat
from tests.world import World, again
from threads.models import Sidebar
from threads.stubs import encode_for as encode_stubs
from threads.stubs import stubs_for

CAST = ["root", "sue", "ada", "ben", "cleo", "vic", "gus", "carl", "parrot", "otto"]
ROOMS = ["team", "other", "support"]
SIDEBARS = 5
"""At most, in one life."""
EXAMPLES = int(os.environ.get("CHAT_TESTS_EXAMPLES") or 0)

names = st.sampled_from(CAST[:-1])  # otto never enters, and must see nothing
places = st.sampled_from(["team", "support", "team", "support", "other"])
picks = st.integers(0, 11)
mostly_picks = st.one_of(st.none(), picks, picks, picks)
OFTEN = {
    "post": 6,
    "answer": 2,
    "share": 3,
    "overreach": 2,
    "upload": 1,
    "edit": 1,
    "delete": 2,
    "react": 1,
    "unreact": 1,
    "read": 1,
    "unread": 1,
    "invite": 2,
    "join": 1,
    "leave": 1,
    "return": 3,
    "remove": 1,
    "change": 2,
    "promote": 2,
    "transfer": 1,
    "history": 3,
    "close": 1,
    "go-on": 1,
    "sync": 4,
    "look": 1,
    "open": 6,
    "come-by": 3,
    "share-back": 3,
    "conclude": 2,
}
LIFE = [what for what, times in OFTEN.items() for _ in range(times)]
roles = st.sampled_from(["owner", "member", "viewer", "customer", "agent", "supervisor", "robot"])


class Conversation(RuleBasedStateMachine):
    """Random life in three rooms; each example in a transaction that is taken back."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.oracle = Oracle()
        self.people = {name: self.world.people[name] for name in CAST}
        self.rooms: dict[str, int] = {}
        self.held: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
        self.cursors: dict[tuple[str, str], int] = {}
        self.words = self.steps = 0

    def teardown(self) -> None:
        try:
            for who, room in list(self.held):
                self.syncs(who, room, limit=2)
            for name in CAST[self.words % 4 :: 4] if self.rooms else ():
                self.looks(name, limit=3)
        finally:
            transaction.set_rollback(True)
            self.frame.__exit__(None, None, None)

    @initialize(history=st.sampled_from(["all", "joined"]))
    def open(self, history: str) -> None:
        who = self.people
        self._open(
            "team", history, "team", "ben", {"cleo": "member", "gus": "member", "parrot": "robot"}
        )
        self._open("other", "all", "team", "cleo", {"vic": "member"})
        self._open(
            "support",
            history,
            "support",
            "ada",
            {"carl": "customer", "sue": "supervisor", "parrot": "robot"},
        )
        assert who["otto"].participations.count() == 0
        self.says("team", "ben")
        self.says("team", "cleo", "only", ["gus"])
        self.says("support", "carl", mention="ada")
        self.says("support", "ada", "staff")
        self.says("support", "sue", "only", ["carl"])
        self.is_brought_in("team", "vic", None)
        self.enters("support", "root")
        self.says("team", "vic", "only", ["ben"])
        self.opens("team", 3, 0, set(), private=False, wild=0)
        self.opens("support", 1, 1, {1, 2}, private=True, wild=0)
        for room, who, other in (("team", "ben", "cleo"), ("support", "ada", "sue")):
            (inside,) = self.sidebars(room)
            self.says(inside, who)
            self.says(inside, who, "only", [other])
            self.says(inside, other)
        for name in CAST[:-1]:
            for room in ROOMS:
                self.syncs(name, room, limit=2)

    def _open(self, name: str, history: str, mode: str, by: str, others: dict[str, str]) -> None:
        people = [self.people[other] for other in others]
        room = Room.objects.open(
            name, by=self.people[by], mode=mode, history=history, people=people
        )
        self.rooms[name] = room.pk
        self.oracle.places[room.pk] = Place(room.pk, mode, history)
        for other, role in {by: "owner" if mode == "team" else "agent", **others}.items():
            self.oracle.seat(room.pk, self.people[other].pk, role)

    @rule(
        what=st.sampled_from(LIFE),
        room=places,
        who=names,
        role=roles,
        pick=picks,
        other=picks,
        choice=mostly_picks,
        to=st.sets(picks, max_size=2),
        reply=mostly_picks,
        mention=st.none() | names | st.just("everyone"),
        yes=st.booleans(),
        wild=st.integers(0, 5),
        inside=st.one_of(st.none(), picks),
    )
    def life_goes_on(
        self,
        what: str,
        room: str,
        who: str,
        role: str,
        pick: int,
        other: int,
        choice: int | None,
        to: set[int],
        reply: int | None,
        mention: str | None,
        yes: bool,
        wild: int,
        inside: int | None,
    ) -> None:
        """One thing happens. One rule for all of them, so that none of them is rare."""
        top, room = room, self.somewhere(room, inside)
        {
            "post": lambda: self.posts(room, pick, choice, to, reply, mention, file=yes, wild=wild),
            "answer": lambda: self.answers_a_whisper(room, pick),
            "share": lambda: self.shares(pick, other, room, choice or 0, to, wild),
            "overreach": lambda: self.reaches_for_what_they_do_not_see(pick, other),
            "upload": lambda: self.uploads(room, pick),
            "edit": lambda: self.edits(pick, who if wild == 5 else None),
            "delete": lambda: self.deletes(pick, who if wild == 5 else None),
            "react": lambda: self.reacts(pick, who, "👍" if yes else "🎉"),
            "unreact": lambda: self.takes_a_reaction_back(pick, who),
            "read": lambda: self.reads(pick, who, again_unread=False),
            "unread": lambda: self.reads(pick, who, again_unread=True),
            "invite": lambda: self.is_brought_in(room, who, role if wild == 5 else None),
            "join": lambda: self.enters(room, who),
            "leave": lambda: self.goes(room, who, themselves=True),
            "remove": lambda: self.goes(room, who, themselves=False),
            "return": lambda: self.goes_and_returns(room, who),
            "change": lambda: self.becomes(top, who, role),
            "promote": lambda: self.becomes(
                "support", ["ada", "sue", "root"][pick % 3], "customer" if yes else "agent"
            ),
            "transfer": lambda: self.is_handed_the_room("other" if top == "support" else top, who),
            "history": lambda: self.history_starts_elsewhere(top, "joined" if yes else "all"),
            "close": lambda: self.closes(top if yes else room),
            "go-on": lambda: self.goes_on(archive=yes),
            "sync": lambda: self.syncs(CAST[pick % len(CAST)], room, 1 + other % 4),
            "look": lambda: self.looks(CAST[pick % len(CAST)], 1 + other % 5),
            "open": lambda: self.opens(top, pick, other, to, private=yes, wild=wild),
            "come-by": lambda: self.comes_by(who, self.sidebar(pick)),
            "share-back": lambda: self.shares_back(pick, other, choice or 0, to, wild),
            "conclude": lambda: self.concludes(pick, other, choice, to, yes, wild),
        }[what]()

    # What is at hand

    def room(self, name: str) -> Room:
        return Room.objects.get(pk=self.rooms[name])

    def place(self, name: str) -> Place:
        return self.oracle.places[self.rooms[name]]

    def name(self, place: Place) -> str:
        return next(name for name, pk in self.rooms.items() if pk == place.id)

    def sidebars(self, room: str | None = None) -> list[str]:
        """Their names, of one room or of all."""
        around = None if room is None else self.rooms[room]
        return [
            name
            for name in self.rooms
            if (parent := self.place(name).parent) and around in (None, parent)
        ]

    def somewhere(self, room: str, inside: int | None) -> str:
        """The room, or a side-bar of it."""
        sidebars = self.sidebars(room)
        return room if inside is None or not sidebars else sidebars[inside % len(sidebars)]

    def message(self, pick: int, room: str | None = None, by: str | None = None) -> Message | None:
        """One of the newest messages that somebody wrote (`by`: that they may see)."""
        where = [self.place(room)] if room else self.oracle.places.values()
        texts = [said.id for place in where for said in place.said.values() if said.kind == "text"]
        if by is not None:
            texts = [message for message in texts if self.oracle.sees(self.people[by].pk, message)]
        texts.sort()
        return Message.objects.get(pk=texts[-1 - pick % len(texts)]) if texts else None

    def tried(self, act: Callable[[], object]) -> bool:
        """Whether it was done; a refusal leaves nothing."""
        try:
            with transaction.atomic():
                act()
        except DomainError:
            return False
        return True

    def learn(self, room: str, *notes: tuple[str, Collection[str]]) -> list[Message]:
        """Tell the oracle of the notes a change left; return what people said."""
        place = self.place(room)
        new = list(Message.objects.filter(room=place.id, pk__gt=place.newest).order_by("pk"))
        left = [message for message in new if message.kind != "text"]
        assert [message.data["event"] for message in left] == [event for event, _ in notes]
        for message, (event, people) in zip(left, notes, strict=True):
            audience = self.oracle.note_audience(place.id, message.kind, event, people)
            place.said[message.pk] = Said(
                message.pk,
                self.world.system.pk,
                audience,
                kind=message.kind,
                body=message.body,
                at=message.created_at,
            )
            if event in ("joined", "invited"):
                for person in message.data["people"]:
                    place.seats[person["id"]].last_read = message.pk
        return [message for message in new if message.kind == "text"]

    # Talking

    def posts(
        self,
        room: str,
        who: int,
        choice: int | None,
        to: set[int],
        reply: int | None,
        mention: str | None,
        file: bool,
        wild: int,
    ) -> None:
        """Mostly what the rules allow; now and then (wild) whatever comes."""
        if wild == 5:
            audience = [None, "everyone", "staff", "only"][who % 4]
            self.says(
                room,
                CAST[who % 9],
                audience,
                {CAST[n % 9] for n in to},
                reply,
                mention,
                file=file,
                among=(),
            )
        elif writers := self.writers(room):
            author = writers[who % len(writers)]
            possible = self.choosable(room, author)
            audience = None if choice is None else possible[choice % len(possible)]
            others = self.names_in(room)
            named = {others[n % len(others)] for n in to or {0}} if audience == "only" else set()
            among = (room,) if wild == 4 else (room, author)
            self.says(room, author, audience, named, reply, mention, file=file, among=among)

    def answers_a_whisper(self, room: str, pick: int) -> None:
        """Without choosing an audience."""
        if not (writers := self.writers(room)):
            return
        who = writers[pick % len(writers)]
        texts = [said for said in self.place(room).said.values() if said.kind == "text"]
        seen = [said for said in texts if self.oracle.sees(self.people[who].pk, said.id)]
        for reply, said in enumerate(sorted(seen, key=lambda said: -said.id)):
            if said.audience == "only" and not said.deleted:
                self.says(room, who, None, reply=reply)
                return

    def names_in(self, room: str) -> list[str]:
        """Those who are in it, or may come by."""
        return [
            name for name in CAST if self.oracle.may_be_in(self.place(room), self.people[name].pk)
        ]

    def choosable(self, room: str, who: str) -> list[str]:
        return CHOOSABLE[
            self.place(room).mode, self.oracle.role(self.rooms[room], self.people[who].pk)
        ]

    def writers(self, room: str) -> list[str]:
        return [
            name
            for name in self.names_in(room)
            if self.oracle.may_write(self.rooms[room], self.people[name].pk)
        ]

    def says(
        self,
        room: str,
        who: str,
        audience: str | None = None,
        to: Collection[str] = (),
        reply: int | None = None,
        mention: str | None = None,
        *,
        file: bool = False,
        among: tuple[str, ...] | None = None,
    ) -> None:
        among = (room, who) if among is None else among
        original = None if reply is None else self.message(reply, *among)
        place, author = self.place(room), self.people[who]
        self.words += 1
        body = f"word {self.words}" + (
            f" @{self.people.get(mention, author).handle}" if mention else ""
        )
        if mention == "everyone":
            body = f"word {self.words} @everyone"
        named = {self.people[other].pk for other in to}
        try:
            expected = self.oracle.speech(
                place.id, author.pk, audience, named, original and original.pk
            )
        except Refused:
            expected = None
        files = (
            [self.upload(room, who)]
            if file and expected and place.is_open and author.pk in place.seats
            else []
        )
        reopens = not place.is_open
        draft = Draft(
            room=place.id,
            author=author,
            body=body,
            audience=audience,
            to=tuple(named),
            reply_to=original and original.pk,
            attachments=tuple(files),
        )
        done = self.tried(lambda: Message.objects.post_all([draft]))
        assert done == (expected is not None), (room, who, audience, to, expected)
        if expected is None:
            return
        for user in (author.pk, *expected[1]):
            self.oracle.come_by(place, user)
        message = self.learn_what_was_said(room, reopens=reopens)
        assert (message.audience, frozenset(message.to)) == expected
        self.keep(place, message, body, mention, files)

    def learn_what_was_said(self, room: str, *, reopens: bool) -> Message:
        if reopens:
            self.go_on_with(self.oracle.reopen(self.rooms[room]))
        (message,) = self.learn(room, *([("reopened", [])] if reopens else []))
        return message

    def go_on_with(self, sidebars: Iterable[Place]) -> None:
        for sidebar in sidebars:
            self.learn(self.name(sidebar), ("reopened", []))

    def keep(
        self, place: Place, message: Message, body: str, mention: str | None, files: Iterable[int]
    ) -> None:
        """Tell the oracle of something said."""
        mentioned = self.people.get(mention or "")
        if mentioned and message.audience != "only":
            self.oracle.come_by(place, mentioned.pk, last_read=message.pk - 1)
        place.said[message.pk] = Said(
            message.pk,
            message.author_id,
            message.audience,
            frozenset(message.to),
            body=body,
            reply_to=message.reply_to_id,
            shared_from=message.shared_from_id,
            mentioned=frozenset({mentioned.pk} & place.seats.keys()) if mentioned else frozenset(),
            mentions_all=mention == "everyone" and message.author.kind == "person",
            files=frozenset(files),
            at=message.created_at,
        )
        for file in files:
            place.loose_files.pop(file, None)

    def upload(self, room: str, who: str) -> int:
        file = Attachment.objects.upload(
            ContentFile(b"plain words", name="words.txt"), room=self.room(room), by=self.people[who]
        )
        self.place(room).loose_files[file.pk] = self.people[who].pk
        return file.pk

    def uploads(self, room: str, who: int) -> None:
        writers = [
            name for name in self.writers(room) if self.people[name].pk in self.place(room).seats
        ]
        if writers and self.place(room).is_open:
            self.upload(room, writers[who % len(writers)])

    def shares(self, pick: int, who: int, room: str, choice: int, to: set[int], wild: int) -> None:
        audience = ["everyone", "staff", "only"][choice % 3]
        if wild == 5:
            self.shares_it(CAST[who % 9], pick, room, audience, {CAST[n % 9] for n in to})
        elif sharers := [name for name in self.writers(room) if self.people[name].kind == "person"]:
            others = self.names_in(room)
            sharer = sharers[who % len(sharers)]
            possible = self.choosable(room, sharer)
            named = {others[n % len(others)] for n in to or {0}}
            self.shares_it(sharer, pick, room, possible[choice % len(possible)], named, seen=True)

    def shares_it(
        self, who: str, pick: int, room: str, audience: str, to: set[str], *, seen: bool = False
    ) -> None:
        source = self.message(pick, by=who if seen else None)
        if source is None:
            return
        place, sharer = self.place(room), self.people[who]
        named = {self.people[other].pk for other in to} if audience == "only" else set()
        original = self.oracle.said(source.pk)
        try:
            if (
                not self.oracle.sees(sharer.pk, source.pk)
                or original.deleted
                or sharer.kind != "person"
            ):
                raise Refused
            expected = self.oracle.speech(place.id, sharer.pk, audience, named, None)
        except Refused:
            expected = None
        reopens = not place.is_open
        done = self.tried(
            lambda: source.share(
                by=sharer, audience=audience, room=again(self.room(room)), to=[*named]
            )
        )
        assert done == (expected is not None)
        if expected is None:
            return
        for user in (sharer.pk, *expected[1]):
            self.oracle.come_by(place, user)
        message = self.learn_what_was_said(room, reopens=reopens)
        assert (message.audience, frozenset(message.to), message.author_id) == (
            *expected,
            sharer.pk,
        )
        assert message.body == original.body
        files = set(message.attachments.values_list("pk", flat=True))
        assert len(files) == len(original.files)
        assert not files & original.files
        self.keep(place, message, original.body, self.mention_in(original.body), files)

    def mention_in(self, body: str) -> str | None:
        word = body.partition("@")[2]
        return next(
            (name for name, person in self.people.items() if person.handle == word), word or None
        )

    def reaches_for_what_they_do_not_see(self, pick: int, other: int) -> None:
        """Every way to a message one does not see ends the same."""
        who, room = self.people[CAST[pick % len(CAST)]], [*self.rooms][other % len(self.rooms)]
        here, place = self.room(room), self.place(room)
        hidden = [pk for pk in place.said if not self.oracle.sees(who.pk, pk)]
        for message in Message.objects.filter(pk__in=sorted(hidden)[-3:]):
            assert not self.tried(lambda m=message: here.messages.post("re", by=who, reply_to=m))
            assert not self.tried(lambda m=message: m.share(by=who, audience="everyone"))
            assert not self.tried(lambda m=message: m.react("👍", by=who))
            assert not self.tried(lambda m=message: m.mark_read(by=who))
            assert not self.tried(lambda m=message: m.edit("mine now", by=who))
            assert not self.tried(lambda m=message: Sidebar.objects.open(m, by=who))
            assert not self.tried(lambda m=message: m.act("x", version=m.version, data={}, by=who))
            if not message.deleted_at:
                assert not self.tried(lambda m=message: m.remove(by=who))

    def edits(self, pick: int, who: str | None) -> None:
        """Its author, or somebody else, who must not succeed."""
        message = self.message(pick)
        if message is None:
            return
        self.words += 1
        body = f"edited {self.words}"
        editor = self.people[who] if who else message.author
        if self.tried(lambda: message.edit(body, by=editor)):
            assert self.oracle.sees(editor.pk, message.pk)
            assert editor.pk == message.author_id
            self.oracle.said(message.pk).body = body

    def deletes(self, pick: int, who: str | None) -> None:
        message = self.message(pick)
        if message is None:
            return
        user = self.people[who] if who else message.author
        if self.tried(lambda: message.remove(by=user)):
            assert self.oracle.sees(user.pk, message.pk)
            self.oracle.delete(message.pk)

    def reacts(self, pick: int, who: str, emoji: str) -> None:
        message = self.message(pick)
        if message is None:
            return
        done = self.tried(lambda: message.react(emoji, by=self.people[who]))
        place, user = self.oracle.place_of(message.pk), self.people[who].pk
        open_now = place.is_open
        sees = self.oracle.sees(user, message.pk) and not self.oracle.said(message.pk).deleted
        assert done == (sees and open_now and self.oracle.may_write(place.id, user))
        reactions = self.oracle.said(message.pk).reactions.setdefault(emoji, []) if done else [user]
        if user not in reactions:
            reactions.append(user)

    def takes_a_reaction_back(self, pick: int, who: str) -> None:
        message = self.message(pick, by=who)
        if message and self.tried(lambda: message.unreact("👍", by=self.people[who])):
            reactions = self.oracle.said(message.pk).reactions
            with suppress(KeyError, ValueError):
                reactions["👍"].remove(self.people[who].pk)
                if not reactions["👍"]:
                    del reactions["👍"]

    def reads(self, pick: int, who: str, again_unread: bool) -> None:
        message, user = self.message(pick), self.people[who]
        if message is None:
            return
        verb = message.mark_unread if again_unread else message.mark_read
        assert self.tried(lambda: verb(by=user)) == self.oracle.sees(user.pk, message.pk)
        if self.oracle.sees(user.pk, message.pk):
            (self.oracle.mark_unread if again_unread else self.oracle.mark_read)(
                message.pk, user.pk
            )

    # Side-bars

    def opens(
        self, room: str, pick: int, by: int, to: set[int], *, private: bool, wild: int
    ) -> None:
        """Mostly somebody who may, beside what they see; now and then whoever, beside whatever."""
        if len(self.sidebars()) >= SIDEBARS:
            return
        if wild == 5:
            message, who = self.message(pick), CAST[by % len(CAST)]
        elif writers := self.writers(room):
            who = writers[by % len(writers)]
            message = self.message(pick, room, who)
        else:
            return
        if message is None:
            return
        anchor, around = message.pk, self.oracle.place_of(message.pk)
        others = {self.people[CAST[n % len(CAST)]] for n in to} if private or wild == 4 else set()
        expected = self.oracle.may_open_beside(
            self.people[who].pk, anchor, [other.pk for other in others]
        )
        access = "private" if private else "open"
        done = self.tried(
            lambda: Sidebar.objects.open(
                message, by=self.people[who], access=access, invite=others, title=f"at {anchor}"
            )
        )
        assert done == expected, (who, anchor, access, others)
        if not done:
            return
        place = Place(Sidebar.objects.latest("pk").pk, around.mode, parent=around.id)
        place.access, place.anchor, place.title = access, anchor, f"at {anchor}"
        place.opened_by = self.people[who].pk
        self.oracle.places[place.id] = place
        for person in {self.people[who], *others}:
            place.seats[person.pk] = Seat("", joined_after=0, last_read=0)
        self.rooms[f"beside {anchor}, {place.id}"] = place.id

    def sidebar(self, pick: int) -> str | None:
        sidebars = self.sidebars()
        return sidebars[pick % len(sidebars)] if sidebars else None

    def comes_by(self, who: str, name: str | None) -> None:
        if name is None:
            return
        place, person = self.place(name), self.people[who]
        done = self.tried(lambda: Room.objects.seat_in(place.id, person))
        assert done == self.oracle.may_be_in(place, person.pk)
        if done:
            self.oracle.come_by(place, person.pk)

    def leader(self, name: str, who: int, wild: int) -> str:
        """Mostly somebody who may share and conclude."""
        place = self.place(name)
        leaders = [one for one in CAST if self.oracle.leads(place.id, self.people[one].pk)]
        return CAST[who % len(CAST)] if wild == 5 or not leaders else leaders[who % len(leaders)]

    def shares_back(self, pick: int, who: int, choice: int, to: set[int], wild: int) -> None:
        """Some of what was said in a side-bar, to the room around it."""
        if (name := self.sidebar(pick)) is None:
            return
        place, sharer = self.place(name), self.people[self.leader(name, who, wild)]
        texts = [said for said in place.said.values() if said.kind == "text"]
        if not texts:
            return
        room = next(one for one in ROOMS if self.rooms[one] == place.parent)
        several = sorted(texts, key=lambda said: said.id)[-1 - choice % 3 :]
        others = self.names_in(room)
        audience = ["everyone", "everyone", "staff", "only"][choice % 4]
        named = {self.people[others[n % len(others)]].pk for n in to or {0}}
        named = named if audience == "only" else set()
        seats = dict(place.seats)
        self.oracle.come_by(place, sharer.pk)
        try:
            if not self.oracle.leads(place.id, sharer.pk) or sharer.kind != "person":
                raise Refused
            if any(said.deleted or not self.oracle.sees(sharer.pk, said.id) for said in several):
                raise Refused
            expected = self.oracle.speech(place.parent, sharer.pk, audience, named, None)
        except Refused:
            expected, place.seats = None, seats
        found = Sidebar.objects.get(pk=place.id)
        pks = [said.id for said in several]
        done = self.tried(lambda: found.share(pks, by=sharer, audience=audience, to=named))
        assert done == (expected is not None), (name, sharer.name, audience, pks)
        if expected is None:
            return
        message = self.learn_what_was_said(room, reopens=False)
        assert (message.audience, frozenset(message.to), message.author_id) == (
            *expected,
            sharer.pk,
        )
        body, mention = several[0].body, self.mention_in(several[0].body)
        if len(several) > 1:
            authors = User.objects.in_bulk([said.author for said in several])
            parts = [f"**{authors[said.author].name}**\n> {said.body}" for said in several]
            body, mention = "\n\n".join(parts), None
        assert message.body == body
        files = set(message.attachments.values_list("pk", flat=True))
        assert len(files) == sum(len(said.files) for said in several)
        self.keep(self.place(room), message, body, mention, files)

    def concludes(
        self, pick: int, who: int, choice: int | None, to: set[int], in_words: bool, wild: int
    ) -> None:
        if (name := self.sidebar(pick)) is None:
            return
        place, person = self.place(name), self.people[self.leader(name, who, wild)]
        room = next(one for one in ROOMS if self.rooms[one] == place.parent)
        others = self.names_in(room)
        audience = None if choice is None else ["everyone", "staff", "only"][choice % 3]
        named = {self.people[others[n % len(others)]].pk for n in to or {0}}
        named = named if audience == "only" else set()
        seats = dict(place.seats)
        self.oracle.come_by(place, person.pk)
        answered = place.anchor if self.oracle.sees(person.pk, place.anchor) else None
        if answered and self.oracle.said(answered).deleted:
            answered = None
        try:
            if not self.oracle.leads(place.id, person.pk) or not place.is_open:
                raise Refused
            meant = audience or ("staff" if place.mode == "support" else None)
            expected = None
            if in_words:
                expected = self.oracle.speech(place.parent, person.pk, meant, named, answered)
            may = True
        except Refused:
            may, place.seats = False, seats
        self.words += 1
        body = f"conclusion {self.words}" if in_words else ""
        again_ = place.is_concluded and place.conclusion is None and not in_words
        found = Sidebar.objects.get(pk=place.id)
        done = self.tried(lambda: found.conclude(by=person, body=body, audience=audience, to=named))
        if again_ and done:
            assert found.concluded_by == person
            self.oracle.come_by(place, person.pk)
            return
        assert done == may, (name, person.name, audience, in_words)
        if not done:
            return
        place.state, place.is_concluded, place.closed_with_parent = "closed", True, False
        if expected is not None:
            message = self.learn_what_was_said(room, reopens=False)
            assert (message.audience, frozenset(message.to)) == expected
            assert message.reply_to_id == answered
            self.keep(self.place(room), message, body, None, ())
            place.conclusion = message.pk
        self.learn(name, ("closed", []))

    # Coming and going

    def is_brought_in(self, room: str, who: str, role: str | None) -> None:
        person, place = self.people[who], self.place(room)
        was_in = person.pk in place.seats
        done = self.tried(lambda: self.room(room).invite(person, by=self.world.system, role=role))
        if place.parent is not None:
            around = self.oracle.around(place, person.pk)
            may = place.is_open and around is not None and role in (None, around.role)
            assert done == (was_in or may)
        if done and not was_in:
            given = Participant.objects.get(room=place.id, user=person).role
            assert role in (None, given)
            self.oracle.seat(place.id, person.pk, given)
            self.learn(room, ("invited", [given]))
            place.seats[person.pk].last_read = place.newest  # the note of their own coming

    def enters(self, room: str, who: str) -> None:
        person, place = self.people[who], self.place(room)
        was_in = person.pk in place.seats
        done = self.tried(lambda: self.room(room).join(by=person))
        if place.parent is not None:
            assert done == self.oracle.may_be_in(place, person.pk)
            self.oracle.come_by(place, person.pk)
        elif done and not was_in:
            assert place.mode == "support"
            given = {"root": "supervisor", "sue": "supervisor", "ada": "agent"}[who]
            self.oracle.seat(place.id, person.pk, given)
            self.learn(room, ("joined", [given]))
            place.seats[person.pk].last_read = place.newest

    def goes(self, room: str, who: str, themselves: bool) -> None:
        person, place = self.people[who], self.place(room)
        seat = place.seats.get(person.pk)
        last_owner = (
            seat and not place.parent and seat.role == "owner" and len(place.of_role("owner")) == 1
        )
        if themselves:
            done = self.tried(lambda: self.room(room).leave(by=person))
        else:
            done = self.tried(lambda: self.room(room).remove(person, by=self.world.system))
        assert done == (seat is not None and not last_owner)
        if seat is not None and done:
            event = "left" if themselves else "removed"
            for sidebar in self.oracle.unseat(place.id, person.pk):
                self.learn(self.name(sidebar), (event, []))
            self.learn(room, (event, [seat.role]))

    def goes_and_returns(self, room: str, who: str) -> None:
        """To what was said meanwhile in side-bars."""
        self.goes(room, who, themselves=True)
        for name in self.sidebars(room):
            for writer in self.writers(name)[:1]:
                self.says(name, writer)
        self.is_brought_in(room, who, None)
        for name in self.sidebars(room):
            self.comes_by(who, name)

    def becomes(self, room: str, who: str, role: str) -> None:
        person, place = self.people[who], self.place(room)
        before = place.seats.get(person.pk)
        change = lambda: self.room(room).change_role(person, role, by=self.world.system)  # noqa: E731
        if self.tried(change) and before and before.role != role:
            self.is_in_sidebars_too(place, person, role)
            self.learn(room, ("role_changed", [role]))

    def is_in_sidebars_too(self, place: Place, person: User, role: str) -> None:
        self.oracle.give_role(place.id, person.pk, role)
        if role == "customer":
            for sidebar in self.oracle.leave_sidebars(place.id, person.pk):
                self.learn(self.name(sidebar), ("removed", []))
        for sidebar in self.oracle.sidebars(place.id):
            if person.pk in sidebar.seats:
                self.learn(self.name(sidebar), ("role_changed", []))

    def is_handed_the_room(self, room: str, who: str) -> None:
        place = self.place(room)
        (owner, *_) = place.of_role("owner")
        giver, heir = User.objects.get(pk=owner), self.people[who]
        if self.tried(lambda: self.room(room).transfer(heir, by=giver)):
            inside = self.oracle.sidebars(place.id)
            for person, role in ((heir, "owner"), (giver, "member")):
                self.oracle.give_role(place.id, person.pk, role)
            for sidebar in inside:
                both = [user for user in (heir.pk, giver.pk) if user in sidebar.seats]
                self.learn(self.name(sidebar), *[("role_changed", [])] * len(both))
            self.learn(room, ("owner_changed", ["owner", "member"]))

    def history_starts_elsewhere(self, room: str, history: str) -> None:
        place = self.place(room)
        self.room(room).update(by=self.world.system, history=history)
        if place.history != history:
            place.history = history
            for inside in (room, *self.sidebars(room)):
                self.learn(inside, ("updated", []))

    def closes(self, room: str) -> None:
        place = self.place(room)
        if self.tried(lambda: self.room(room).close(by=self.world.system)):
            for sidebar in self.oracle.close(place.id):
                self.learn(self.name(sidebar), ("closed", []))
            # How it ended is the staff's; that it did is everybody's.
            told_twice = place.mode == "support" and place.parent is None
            self.learn(room, *[("closed", [])] * (2 if told_twice else 1))

    def goes_on(self, archive: bool) -> None:
        for room in [*self.rooms]:
            place = self.place(room)
            if place.state not in ("closed", "archived"):
                continue
            if archive and place.state == "closed":
                self.room(room).archive(by=self.world.system)
                place.state = "archived"
                self.learn(room, ("archived", []))
            done = self.tried(lambda room=room: self.room(room).reopen(by=self.world.system))
            assert done == (place.parent is None or self.oracle.places[place.parent].is_open)
            if done:
                self.go_on_with(self.oracle.reopen(place.id))
                self.learn(room, ("reopened", []))

    # What each is shown

    def syncs(self, who: str, room: str, limit: int) -> None:
        """A client that was away asks what changed, and then holds what a fresh one would."""
        user, key = self.people[who], (who, room)
        seat = Participant.objects.filter(user=user, room=self.rooms[room]).first()
        history = History(self.room(room), user)
        if seat is None:
            assert history.since(0).rows == []
            self.held.pop(key, None)
            return
        if key not in self.held or self.cursors[key] < seat.view_since:
            page = history.newest(200)
            self.held[key] = {row["id"]: row for row in encode_for(user, page.rows)}
            self.cursors[key] = page.revision
        more = True
        while more:
            page = history.since(self.cursors[key], limit)
            assert len(page.rows) <= limit
            for row in encode_for(user, page.rows):
                known = self.held[key].get(row["id"])
                if known is None or row["version"] > known["version"]:
                    self.held[key][row["id"]] = row
            more, self.cursors[key] = page.has_newer, page.revision
        fresh = {row["id"]: row for row in encode_for(user, history.newest(200).rows)}
        assert self.without_foreign(self.held[key]) == self.without_foreign(fresh)

    def without_foreign(self, rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """Who sees where a share is from changes with the other room: no news of this one."""
        return {
            pk: {**row, "shared_from": None} if self.comes_from_elsewhere(pk) else row
            for pk, row in rows.items()
        }

    def comes_from_elsewhere(self, message: int) -> bool:
        source = self.oracle.said(message).shared_from
        return source is not None and self.oracle.place_of(source) is not self.oracle.place_of(
            message
        )

    def looks(self, who: str, limit: int) -> None:
        """Pages, quotes, counts, files: as the oracle says."""
        user = self.people[who]
        sidebars = self.sidebars()
        for room in [*ROOMS, *sidebars[self.steps % 2 :: 2]]:
            self.pages_are_right(user, room, limit)
            self.feed_is_right(user, room)
            self.content_is_right(user, room)
        self.overview_is_right(user)
        self.stubs_are_right(user)
        files = {file for room in self.rooms.values() for file in self.oracle.files(user.pk, room)}
        found = Attachment.objects.filter(room__in=self.rooms.values()).visible_to(user)
        assert set(found.values_list("pk", flat=True)) == files

    def pages_are_right(self, user: User, room: str, limit: int) -> None:
        visible = self.oracle.visible(user.pk, self.rooms[room])
        history = History(self.room(room), user)
        page = history.newest(limit)
        found = [row.pk for row in page.rows]
        assert found == visible[-limit:]
        assert (page.has_older, page.has_newer) == (len(visible) > limit, False)
        while page.has_older:
            first = page.rows[0].pk
            page = history.before(first, limit)
            assert page.has_newer
            found = [row.pk for row in page.rows] + found
        assert found == visible
        page, found = history.after(0, limit), []
        while True:
            found += [row.pk for row in page.rows]
            if not page.has_newer:
                break
            page = history.after(found[-1], limit)
            assert page.has_older
        assert found == visible
        for middle in sorted(self.place(room).said)[:: max(1, len(self.place(room).said) // 4)]:
            page = history.around(middle, limit + 1)
            found = [row.pk for row in page.rows]
            assert found == [pk for pk in visible if not found or found[0] <= pk <= found[-1]]
            assert (middle in found) == (middle in visible)
            assert page.has_older == any(pk < found[0] for pk in visible if found)
            assert page.has_newer == any(pk > found[-1] for pk in visible if found)

    def feed_is_right(self, user: User, room: str) -> None:
        """Since every revision: what is visible and newer, each once, in the order of changes."""
        visible = self.oracle.visible(user.pk, self.rooms[room])
        ranks = dict(Message.objects.filter(pk__in=visible).values_list("pk", "revision"))
        history, head = History(self.room(room), user), self.room(room).revision
        in_order = sorted(ranks, key=ranks.__getitem__)
        for revision in {0, head, *list(ranks.values())[::3]}:
            page = history.since(revision)
            assert [row.pk for row in page.rows] == [pk for pk in in_order if ranks[pk] > revision]
            assert (page.has_newer, page.revision) == (False, head)

    def content_is_right(self, user: User, room: str) -> None:
        for row in encode_for(user, History(self.room(room), user).newest(200).rows):
            said = self.place(room).said[row["id"]]
            assert (row["author"]["id"], row["audience"], set(row["to"])) == (
                said.author,
                said.audience,
                said.to,
            )
            assert (row["body"], row["deleted_at"] is not None) == (said.body, said.deleted)
            assert {file["id"] for file in row["attachments"]} == said.files
            assert {r["emoji"]: r["users"] for r in row["reactions"]} == said.reactions
            shown = said.reply_to is not None and self.oracle.sees(user.pk, said.reply_to)
            assert (row["reply_to"] and row["reply_to"]["id"]) == (said.reply_to if shown else None)
            if shown:
                assert row["reply_to"]["excerpt"] == self.oracle.said(said.reply_to).body
            shown = said.shared_from is not None and self.oracle.sees(user.pk, said.shared_from)
            assert (row["shared_from"] and row["shared_from"]["message"]) == (
                said.shared_from if shown else None
            )

    def overview_is_right(self, user: User) -> None:
        rooms = [self.room(room) for room in self.rooms]
        for room, shown in zip(rooms, overview(user, rooms), strict=True):
            seat = self.oracle.places[room.pk].seats.get(user.pk)
            assert shown["parent"] == self.oracle.places[room.pk].parent
            if seat is None:
                assert (
                    shown["me"],
                    shown["unread"],
                    shown["mentions"],
                    shown["last_message_at"],
                ) == (None, 0, 0, None)
                continue
            role = self.oracle.role(room.pk, user.pk)
            assert (shown["me"]["role"], shown["me"]["last_read"]) == (role, seat.last_read)
            assert shown["unread"] == len(self.oracle.unread(user.pk, room.pk))
            assert shown["mentions"] == len(self.oracle.mentions(user.pk, room.pk))
            assert shown["last_message_at"] == iso(self.oracle.last_message_at(user.pk, room.pk))
            assert shown["participants_count"] == len(self.oracle.people_shown(user.pk, room.pk))

    def stubs_are_right(self, user: User) -> None:
        """Which side-bars each room shows them, and what of each."""
        for room in ROOMS:
            seat = Participant.objects.filter(room=self.rooms[room], user=user).first()
            names = self.sidebars(room)
            known = [pk for name in names if self.oracle.knows_of(user.pk, pk := self.rooms[name])]
            if seat is None:
                assert not known
                continue
            shown = encode_stubs(seat, stubs_for(seat))
            assert [stub["id"] for stub in shown] == sorted(known, reverse=True)
            for stub in shown:
                self.stub_is_right(user, stub)

    def stub_is_right(self, user: User, stub: dict[str, Any]) -> None:
        place = self.oracle.places[stub["id"]]
        counted = self.oracle.counted(user.pk, place.id)
        newest = self.oracle.said(counted[-1]) if counted else None
        assert stub["replies"] == len(counted)
        assert (stub["last"] and (stub["last"]["id"], stub["last"]["author"]["id"])) == (
            newest and (newest.id, newest.author)
        )
        assert (stub["anchor"], stub["title"]) == (place.anchor, place.title)
        assert (stub["access"], stub["state"]) == (place.access, place.state)
        assert stub["created_by"]["id"] == place.opened_by
        assert stub["conclusion"] == self.oracle.conclusion_shown(user.pk, place.id)
        assert (stub["concluded_at"] is not None) == place.is_concluded
        assert stub["people_count"] == len(place.seats)
        faces = {person["id"] for person in stub["people"]}
        assert faces <= place.seats.keys()
        assert len(faces) == min(5, len(place.seats))

    @invariant()
    def which_side_bars_there_are(self) -> None:
        """What is asked after each step is asked of some: of others after the next."""
        sidebars = {pk for pk in self.rooms.values() if self.oracle.places[pk].parent}
        self.steps += 1
        for name in CAST[self.steps % 5 :: 5]:
            person = self.people[name]
            expected = {
                pk for pk in sidebars if self.oracle.may_be_in(self.oracle.places[pk], person.pk)
            }
            there = Room.objects.filter(pk__in=sidebars)
            for found in (there.sidebars_for(person), there.findable_by(person)):
                assert set(found.values_list("pk", flat=True)) == expected
            top = Room.objects.for_user(person).top().values_list("pk", flat=True)
            assert not sidebars & set(top)

    @invariant()
    def the_query_the_mirror_and_the_oracle_agree(self) -> None:
        if not self.rooms:
            return
        here = Message.objects.filter(room__in=self.rooms.values())
        rows = list(here)
        seats = Participant.objects.filter(room__in=self.rooms.values()).select_related("room")
        readers = {(seat.user_id, seat.room_id): Reader.of(seat) for seat in seats}
        for name in CAST[self.steps % 2 :: 2]:
            person = self.people[name]
            visible = [self.oracle.visible(person.pk, room) for room in self.rooms.values()]
            expected = set().union(*visible)
            assert set(here.visible_to(person).values_list("pk", flat=True)) == expected, name
            assert not (expected and name == "otto")
            mirrored = {
                row.pk
                for row in rows
                if (person.pk, row.room_id) in readers and readers[person.pk, row.room_id].sees(row)
            }
            assert mirrored == expected, name

    @invariant()
    def the_books_are_right(self) -> None:
        """Heads, counts, states and seats are what the oracle holds."""
        for room in Room.objects.filter(pk__in=[*self.rooms.values()][self.steps % 2 :: 2]):
            place = self.oracle.places[room.pk]
            said = dict(Message.objects.filter(room=room).values_list("pk", "revision"))
            assert said.keys() == place.said.keys()
            assert (room.newest, room.message_count) == (place.newest, len(place.said))
            assert room.revision >= max([room.people_revision, *said.values()])
            assert (room.state, room.history) == (place.state, self.oracle.history(place))
            seats = room.participants.values_list("user", "role", "last_read")
            assert set(seats) == {
                (user, self.oracle.role(place.id, user), seat.last_read)
                for user, seat in place.seats.items()
            }


@pytest.mark.django_db
def test_whoever_may_read_a_message_is_told_of_it_and_nobody_else(world: World) -> None:
    machine = type("Life", (Conversation,), {"world": world})
    profile = settings(
        max_examples=EXAMPLES or 12,
        derandomize=not EXAMPLES,
        stateful_step_count=40,
        phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(machine, settings=profile)
