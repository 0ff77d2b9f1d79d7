"""Who may say what to whom, and who may see it.

The rule stands here three times and nowhere else: what each role may choose (SPEECH), the query
(`_sees`, asked by `visible_to` and `of_seat`) and its mirror for what is handed to live sockets
(`Reader.sees`). The tests hold the query and the mirror against each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models.lookups import Lookup

from accounts.errors import Forbidden, Invalid
from rooms.models import Participant
from rooms.modes import STAFF, Mode, Role

if TYPE_CHECKING:
    from accounts.models import User
    from messages.models import Message
    from messages.models.message import MessageQuerySet
    from rooms.models import Room


class Audience(models.TextChoices):
    EVERYONE = "everyone", "Everyone"
    STAFF = "staff", "Staff only"
    ONLY = "only", "Only some"


AUDIENCES = frozenset(Audience.values)


@dataclass(frozen=True)
class Speech:
    """What one role in one mode says, and to whom, where nothing is chosen."""

    default: Audience
    allowed: frozenset[Audience]


def _speech(default: Audience, *others: Audience) -> Speech:
    return Speech(default, frozenset({default, *others}))


SPEECH: Mapping[tuple[str, str], Speech] = {
    (Mode.TEAM, Role.OWNER): _speech(Audience.EVERYONE, Audience.ONLY),
    (Mode.TEAM, Role.MEMBER): _speech(Audience.EVERYONE, Audience.ONLY),
    (Mode.TEAM, Role.ROBOT): _speech(Audience.EVERYONE, Audience.ONLY),
    (Mode.SUPPORT, Role.CUSTOMER): _speech(Audience.EVERYONE),
    (Mode.SUPPORT, Role.AGENT): _speech(Audience.EVERYONE, Audience.STAFF, Audience.ONLY),
    (Mode.SUPPORT, Role.SUPERVISOR): _speech(Audience.EVERYONE, Audience.STAFF, Audience.ONLY),
    (Mode.SUPPORT, Role.ROBOT): _speech(Audience.STAFF, Audience.ONLY),
}


def choices_for(seat: Participant) -> list[Audience]:
    """The audiences this participant may choose from, the default first."""
    speech = SPEECH.get((seat.room.mode, seat.role))
    if speech is None:
        return []
    return sorted(speech.allowed, key=lambda audience: audience != speech.default)


def choose(
    seat: Participant,
    audience: str | None,
    to: Collection[int],
    *,
    reply_to: Message | None,
    present: Collection[int],
) -> tuple[str, list[int]]:
    """The audience and the `to` of what `seat` says. `present` are the users in the room.

    Raises Forbidden (not for this role), Invalid (no such audience here, or a wrong `to`).
    """
    speech = SPEECH.get((seat.room.mode, seat.role))
    if speech is None:
        raise Forbidden("You may read here, but not write.")
    if audience is None and reply_to is not None and reply_to.audience in speech.allowed:
        audience = reply_to.audience
        if audience == Audience.ONLY and not to:
            to = _answering(reply_to, seat.user_id, present)
    audience = audience or speech.default
    if audience not in AUDIENCES:
        raise Invalid(details={"audience": [f"Choose one of {', '.join(Audience.values)}."]})
    if audience == Audience.STAFF and seat.room.mode == Mode.TEAM:
        raise Invalid(details={"audience": ["A team room has no staff to speak to."]})
    if audience not in speech.allowed:
        raise Forbidden("You cannot choose who sees this here.")
    if (audience == Audience.ONLY) != bool(to):
        raise Invalid(details={"to": ["Name people exactly when the audience is “only”."]})
    if not set(to) <= set(present):
        raise Invalid(details={"to": ["Name people who are in the room."]})
    return audience, sorted(set(to))


def _answering(original: Message, me: int, present: Collection[int]) -> list[int]:
    """Whom an answer to a whisper goes to: its `to` and its author, less me, still here."""
    to = [user for user in {*original.to, original.author_id} - {me} if user in present]
    if not to:
        raise Invalid("Nobody of those it was said to is here. Choose who shall see your answer.")
    return to


@models.JSONField.register_lookup
class Names(Lookup[Any] if TYPE_CHECKING else Lookup):  # type: ignore[misc]
    """`to__names=user_id`: the JSON list holds that number."""

    lookup_name = "names"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        named = f"SELECT 1 FROM json_each({column}) WHERE value = %s"  # noqa: S608 - a column
        return f"EXISTS ({named})", [*params, self.rhs]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} @> to_jsonb(%s::bigint)", [*params, self.rhs]

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (value,)


def visible_to(user: User) -> Q:
    """The one rule of who may see a message, asked with today's roles and people.

    To be given to a single `filter()`, so that all of it speaks of the same seat.
    """
    seat = "room__participants__"
    sees = _sees(
        user,
        role=f"{seat}role",
        history="room__history",
        history_from=F(f"{seat}history_from"),
        is_named=Q(to__names=user.pk),
    )
    return Q(**{f"{seat}user": user}) & sees


def of_seat(messages: MessageQuerySet, user: User) -> MessageQuerySet:
    """Within a question about seats of `user`: what they may see in the room of each. As
    `visible_to`, without looking for the seat again; and who is named is looked up for whispers
    alone, so that PostgreSQL may count by the index and read no other row.
    """
    seat = {
        "seat_role": ExpressionWrapper(OuterRef("role"), CharField()),
        "seat_history": ExpressionWrapper(OuterRef("room__history"), CharField()),
    }
    sees = _sees(
        user,
        role="seat_role",
        history="seat_history",
        history_from=OuterRef("history_from"),
        is_named=Q(Exists(messages.model.objects.filter(pk=OuterRef("pk"), to__names=user.pk))),
    )
    return messages.filter(room=OuterRef("room")).alias(**seat).filter(sees)


def _sees(user: User, *, role: str, history: str, history_from: F, is_named: Q) -> Q:
    """By what is known of the seat of `user`."""
    heard = Q(**{history: "all"}) | Q(author=user) | Q(pk__gt=history_from)
    meant = (
        Q(audience=Audience.EVERYONE)
        | Q(**{f"{role}__in": [*STAFF]})
        | Q(audience=Audience.ONLY) & (Q(author=user) | is_named)
    )
    return heard & meant


def fit_for(audience: str, to: Collection[int], *, after: int) -> Q:
    """What everybody who may see something of this audience may see: what it may rest on.

    To be asked within `visible_to` its author. People named in `to` must be named again: their
    roles may change. `after` is where the history of the last of them begins (`heard_by_all`).
    """
    heard = Q(pk__gt=after)
    if audience == Audience.STAFF:
        return heard
    fit = Q(audience=Audience.EVERYONE)
    if audience == Audience.ONLY:
        meant = Q(audience=Audience.ONLY)
        for user in to:
            meant &= Q(author=user) | Q(to__names=user)
        fit |= meant
    return heard & fit


def heard_by_all(room: Room, audience: str, to: Collection[int], *, upto: int) -> int:
    """The message after which everybody hears all, of those who may see a message numbered `upto`
    of this audience.
    """
    if room.history == room.History.ALL:
        return 0
    readers = Participant.objects.of(room).filter(history_from__lt=upto)
    if audience != Audience.EVERYONE:
        readers = readers.filter(Q(role__in=[*STAFF]) | Q(user__in=to))
    return readers.aggregate(latest=models.Max("history_from"))["latest"] or 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone in a room, as far as it matters for what they may see there."""

    user: int
    role: str
    history_from: int

    @classmethod
    def of(cls, seat: Participant) -> Reader:
        """`seat.room` is at hand."""
        limited = seat.room.history == seat.room.History.JOINED
        return cls(seat.user_id, seat.role, seat.history_from if limited else 0)

    def sees(self, message: Message) -> bool:
        """The mirror of `visible_to`, for a message of this reader's room."""
        return self.hears(message.author_id, message.audience, message.to, message.pk)

    def hears(self, author: int, audience: str, to: Collection[int], pk: int) -> bool:
        """The same from its parts; whatever is not stored (typing) has no `pk` to be before."""
        if pk <= self.history_from and author != self.user:
            return False
        if audience == Audience.EVERYONE or self.role in STAFF:
            return True
        return audience == Audience.ONLY and (author == self.user or self.user in to)
