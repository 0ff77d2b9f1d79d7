"""What robots do about what happens elsewhere, in the transaction of what happened."""

from __future__ import annotations

from collections.abc import Sequence

from django.dispatch import receiver

from accounts.models import User
from live.signals import typed
from messages.models import Message
from messages.signals import changed, finished, posted
from robots import guard, journal, signals, summons
from robots.models import Autopilot, Reply, Robot, Summary
from rooms.models import Participant, Room
from rooms.modes import Role
from rooms.signals import Event, room_changed, room_opened


@receiver(posted)
def listen_to_people(messages: Sequence[Message], **_: object) -> None:
    """Robots that are called answer, and those that take turns wait."""
    called, heard = summons.by_people(messages)
    Reply.objects.queue(guard.admit(called))
    if heard:
        Autopilot.objects.pause_for(heard)


@receiver(typed)
def let_people_type(room: int, audience: str, **_: object) -> None:
    Autopilot.objects.hold(room, audience)


@receiver(signals.reply_ended)
def end_turn(reply: Reply, is_at_goal: bool, **_: object) -> None:
    if reply.autopilot is not None:
        reply.autopilot.note_end(reply, is_at_goal=is_at_goal)


@receiver(signals.reply_ended)
def tell_operators(reply: Reply, **_: object) -> None:
    journal.note(reply)


@receiver(finished)
def pass_on(message: Message, **_: object) -> None:
    """Robots that a robot's answer names answer it, as far as the guard lets them."""
    Reply.objects.queue(guard.admit(summons.by_robot(message)))


@receiver(changed)
def forget_deleted(messages: Sequence[Message], **_: object) -> None:
    """Nobody answers what was deleted, nor goes on writing it."""
    deleted = {message.pk: message for message in messages if message.deleted_at}
    if not deleted:
        return
    for reply in Reply.objects.unfinished().concerning(deleted):
        gone = deleted.get(reply.question_id) or deleted[reply.message_id or 0]
        reply.room = gone.room
        reply.interrupt(by=gone.deleted_by)


@receiver(changed)
def outdate_summaries(
    messages: Sequence[Message], rewritten: int | None = None, **_: object
) -> None:
    """No robot is told again what was taken back, put differently, or is being written anew."""
    taken_back = [
        message
        for message in messages
        if message.pk == rewritten
        and (message.deleted_at or message.edited_at or message.status == Message.Status.STREAMING)
    ]
    if taken_back:
        Summary.objects.resting_on(taken_back).outdate()


@receiver(room_opened)
def keep_out_who_retires(people: Sequence[Participant], **_: object) -> None:
    """Who retires at this moment does not see the room that is being made, and would stay in it."""
    robots = [seat.user_id for seat in people if seat.role == Role.ROBOT]
    if robots:
        Robot.objects.must_stay(robots)


@receiver(room_changed)
def stop_who_left(
    room: Room, event: Event, by: User, people: Sequence[Participant], **_: object
) -> None:
    """A robot that was taken out of a room, and all of them where it is closed, stop writing."""
    unfinished = Reply.objects.unfinished().filter(room=room)
    if event in (Event.LEFT, Event.REMOVED):
        unfinished = unfinished.filter(robot__user__in=[seat.user_id for seat in people])
    elif event != Event.CLOSED:
        return
    for reply in unfinished:
        reply.room = room
        reply.interrupt(by=by)


@receiver(room_changed)
def adapt_sessions(room: Room, event: Event, people: Sequence[Participant], **_: object) -> None:
    """A session goes on without a robot that has left, if it can, and ends with its room."""
    if event not in (Event.LEFT, Event.REMOVED, Event.CLOSED):
        return
    for session in Autopilot.objects.unfinished().filter(room=room):
        if event == Event.CLOSED:
            session.close(room)
        else:
            session.lose([seat.user_id for seat in people], room)
