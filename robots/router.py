"""Who can answer this? Robots are proposed, with reasons; a person chooses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.errors import Forbidden
from accounts.models import User
from accounts.roles import SiteRole
from messages.markdown import excerpt
from messages.models import Message
from robots import charge, librarian
from robots.models import Reply, Robot, RobotSeat
from rooms.models import Participant, Room

PROPOSED_MAX = 5
ANSWERS_READ = 500
WORDS_TOLD = 3
ALIKE = 0.5
"""The share of what is asked that an earlier question must have asked as well."""

NAME, TITLE, PERSONA, BEFORE = 3.0, 3.0, 2.0, 1.5
"""How much it counts that a robot is called what is asked about, is that here, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    robot: Robot
    reason: str
    """In words, for the person who chooses."""
    score: float
    """From 0 to 1: to compare it with the others, not to be believed."""


def propose(question: str, *, by: User, room: Room | None = None) -> list[Proposal]:
    """Robots that may know, best first; none where nothing speaks for any.

    Those of a room, by who is in charge of its robots there, or of the site, by its staff.
    Raises NotFound, Forbidden.
    """
    if room is not None:
        charge.must_be_in_charge(room, by)
    elif not by.is_at_least(SiteRole.AGENT):
        raise Forbidden("Choose a room first.")
    asked = _Asked(question)
    robots, seats = _robots(room), _seats(room)
    before, readable = _answered(robots, by=by), _readable(by, room)
    found = [_weighed(asked, one, seats.get(one.pk), before[one.pk], readable) for one in robots]
    speaking = [proposal for proposal in found if proposal.score]
    return sorted(speaking, key=lambda proposal: -proposal.score)[:PROPOSED_MAX]


def _readable(user: User, room: Room | None) -> Collection[int | None]:
    """Whose personas the person who asks may read, as seats say where they were set: of others it
    is told only that they speak of what was asked. Who opened a side-bar may not manage the room
    around it.
    """
    rooms = [one for one in (room, room and room.parent) if one is not None]
    readable: set[int | None] = {one.pk for one in rooms if one.managed_by(user)}
    return readable | {None} if user.is_at_least(SiteRole.AGENT) else readable


class _Asked:
    """What a question is about, word by word."""

    def __init__(self, question: str) -> None:
        self.words: dict[str, str] = {}
        """As they were written, by how they are compared."""
        for word in librarian.words(question):
            if word not in librarian.FILLERS:
                self.words.update(dict.fromkeys(librarian.stems_of(word), word))

    def found_in(self, text: str) -> list[str]:
        """The words of the question that a text speaks of."""
        spoken = set(librarian.stems(text))
        return list(dict.fromkeys(word for stem, word in self.words.items() if stem in spoken))

    def share(self, found: Sequence[str]) -> float:
        return len(found) / max(1, len(set(self.words.values())))


def _robots(room: Room | None) -> list[Robot]:
    present = Robot.objects.in_room(room) if room else Robot.objects.present()
    return list(present.filter(enabled=True).select_related("user").order_by("pk"))


def _seats(room: Room | None) -> dict[int, RobotSeat]:
    """By robot. In an open side-bar, those around it who have none there."""
    if room is None:
        return {}
    sitting = Participant.objects.of(room) | Participant.objects.filter(room=room)
    sitting = sitting.filter(user__robot__isnull=False).select_related(
        "user__robot", "robot_seat", "outer__robot_seat"
    )
    # A side-bar is newer than the room around it.
    seats = [RobotSeat.objects.at(participant) for participant in sitting.order_by("room")]
    return {seat.robot_id: seat for seat in seats}


def _answered(robots: Iterable[Robot], *, by: User) -> dict[int, list[str]]:
    """The questions that each has answered to its end, of those that `by` may see with the answer.

    What was deleted is no proof of anything.
    """
    seen = Message.objects.visible_to(by).filter(deleted_at__isnull=True)
    # Asked of each: SQLite would write down all that `by` may see to look it up there.
    asked, said = (seen.filter(pk=OuterRef(name)) for name in ("question", "message"))
    done = Reply.objects.filter(robot__in=robots, state=Reply.State.DONE)
    done = done.filter(Exists(asked), Exists(said)).order_by("-pk")
    answered: dict[int, list[str]] = defaultdict(list)
    for robot, question in done.values_list("robot", "question__body")[:ANSWERS_READ]:
        answered[robot].append(question)
    return answered


def _weighed(
    asked: _Asked,
    robot: Robot,
    seat: RobotSeat | None,
    before: Sequence[str],
    readable: Collection[int | None],
) -> Proposal:
    title, persona = (seat.title_here, seat.persona_here) if seat else ("", robot.persona)
    is_read = (seat.persona_set_in if seat else None) in readable
    named = asked.found_in(f"{robot.user.name} {robot.user.handle}")
    titled, spoken = asked.found_in(title), asked.found_in(persona)
    alike = [one for one in before if asked.share(asked.found_in(one)) >= ALIKE]
    reasons = [
        f"It is called {robot.user.name}." if named else "",
        f"It is {title} here." if titled else "",
        _acquaintance(spoken, is_read=is_read),
        _experience(alike),
    ]
    score = NAME * asked.share(named) + TITLE * asked.share(titled) + PERSONA * asked.share(spoken)
    score += BEFORE * min(len(alike), WORDS_TOLD) / WORDS_TOLD
    highest = NAME + TITLE + PERSONA + BEFORE
    return Proposal(
        robot=robot, reason=" ".join(filter(None, reasons)), score=round(score / highest, 3)
    )


def _acquaintance(spoken: Sequence[str], *, is_read: bool) -> str:
    if not spoken:
        return ""
    return f"Its persona speaks of {_listed(spoken)}." if is_read else "Its persona speaks of this."


def _listed(found: Sequence[str]) -> str:
    """“refunds, invoices and lamps”."""
    *most, last = found[:WORDS_TOLD]
    return f"{', '.join(most)} and {last}" if most else last


def _experience(alike: Sequence[str]) -> str:
    if not alike:
        return ""
    times = "once" if len(alike) == 1 else f"{len(alike)} times"
    return f"It has answered something like it {times} before: “{excerpt(alike[0], 80)}”"
