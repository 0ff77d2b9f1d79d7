"""Inviting and joining: who brings whom in, who enters uninvited, how a newcomer starts."""

import pytest

from accounts.errors import Conflict
from accounts.models import AuditEntry
from messages.models import Message
from rooms.models import Participant, Room
from tests.world import World, again, expected

NOT_IN = "forbidden"


# Inviting


def test_owners_and_site_admins_bring_people_into_a_team_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.team).invite(world.otto, by=who))
    assert answers == expected(yes="ben root system", otherwise=NOT_IN)


def test_staff_and_site_admins_bring_people_into_a_support_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.support).invite(world.otto, by=who))
    assert answers == expected(yes="ada sue root system", otherwise=NOT_IN)


def test_nobody_brings_a_third_into_a_direct_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.direct).invite(world.otto, by=who))
    assert answers == expected(otherwise=NOT_IN)


def invited(world: World, room: Room, by: object, role: str | None) -> dict[str, str]:
    """What everybody not in the room becomes, or the code of the refusal."""

    def bring(person: object) -> None:
        found.append(again(room).invite(person, by=by, role=role).role)

    outcomes = {}
    for name, person in world.people.items():
        found: list[str] = []
        answer = world.answer(bring, person)
        outcomes[name] = found[0] if answer == "yes" else answer
    return outcomes


def test_what_people_become_in_a_team_room(world: World) -> None:
    empty = Room.objects.open("Empty", by=world.ben)
    usual = invited(world, empty, world.ben, None)
    assert usual == expected(owner="ben", robot="parrot", invalid="dee system", otherwise="member")
    owners = invited(world, empty, world.ben, "owner")
    refused = expected(
        role_not_allowed="gus carl dora parrot", invalid="dee system", otherwise="owner"
    )
    assert owners == refused
    viewers = invited(world, empty, world.ben, "viewer")
    assert viewers == expected(
        owner="ben", role_not_allowed="parrot", invalid="dee system", otherwise="viewer"
    )
    for role in ("customer", "agent", "supervisor", "king"):
        assert invited(world, empty, world.ben, role) == expected(
            owner="ben", invalid="dee system", otherwise="role_not_allowed"
        )
    robots = invited(world, empty, world.ben, "robot")
    assert robots == expected(
        owner="ben", robot="parrot", invalid="dee system", otherwise="role_not_allowed"
    )


def test_what_people_become_in_a_support_room(world: World) -> None:
    empty = Room.objects.open("Empty", by=world.amy, mode="support")
    everyone_else = {"invalid": "dee system"}
    usual = invited(world, empty, world.amy, None)
    assert usual == expected(
        **everyone_else,
        agent="amy ada",
        supervisor="sue root",
        robot="parrot",
        otherwise="customer",
    )
    agents = invited(world, empty, world.amy, "agent")
    assert agents == expected(
        **everyone_else, agent="amy ada sue root", otherwise="role_not_allowed"
    )
    supervisors = invited(world, empty, world.amy, "supervisor")
    assert supervisors == expected(
        **everyone_else, agent="amy", supervisor="sue root", otherwise="role_not_allowed"
    )
    customers = invited(world, empty, world.amy, "customer")
    assert customers == expected(
        **everyone_else, agent="amy", role_not_allowed="parrot", otherwise="customer"
    )
    for role in ("owner", "member", "viewer", "king"):
        assert invited(world, empty, world.amy, role) == expected(
            **everyone_else, agent="amy", otherwise="role_not_allowed"
        )


def test_inviting_a_participant_again_changes_nothing(world: World) -> None:
    before = again(world.team).revision
    seat = world.team.invite(world.vic, by=world.ben, role="member")
    assert (seat.role, again(world.team).revision) == ("viewer", before)


def test_a_newcomer_starts_with_nothing_unread_and_is_announced(world: World) -> None:
    world.say(world.team, world.ben)
    last = world.say(world.team, world.cleo)
    seat = world.team.invite(world.otto, by=world.ben)
    note = Message.objects.filter(room=world.team).latest("pk")
    assert (seat.history_from, seat.invited_by) == (last.pk, world.ben)
    assert again(seat).last_read == note.pk, "of their own coming, and nothing they may not know of"
    assert (note.kind, note.audience, note.data["event"]) == ("system", "everyone", "invited")
    assert note.body == "Ben brought in Otto."
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.by, entry.after) == ("room.invited", world.ben, {"otto": "member"})


# Joining


def test_who_enters_a_public_room_uninvited(world: World) -> None:
    answers = world.answers(lambda who: again(world.public).join(by=who))
    assert answers == expected(
        yes="root sue ada amy ben cleo vic otto", invalid="dee", otherwise="not_found"
    )


def test_nobody_enters_a_private_room_uninvited(world: World) -> None:
    answers = world.answers(lambda who: again(world.team).join(by=who))
    assert answers == expected(yes="ben cleo vic dee gus parrot", otherwise="not_found")


def test_nobody_enters_a_direct_room_uninvited(world: World) -> None:
    answers = world.answers(lambda who: again(world.direct).join(by=who))
    assert answers == expected(yes="ben cleo", otherwise="not_found")


def test_site_agents_and_above_enter_support_rooms(world: World) -> None:
    answers = world.answers(lambda who: again(world.support).join(by=who))
    assert answers == expected(yes="root sue ada amy carl dora parrot", otherwise="not_found")


@pytest.mark.parametrize(("name", "role"), [("amy", "agent"), ("root", "supervisor")])
def test_staff_who_enter_are_told_to_staff_alone_and_audited(
    world: World, name: str, role: str
) -> None:
    person = world.people[name]
    assert world.support.join(by=person).role == role
    note = Message.objects.filter(room=world.support).latest("pk")
    assert (note.audience, note.body) == ("staff", f"{person.name} joined.")
    assert world.readers(note) == {"ada", "sue", name}
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.by, entry.target_id) == (
        "room.joined",
        person,
        str(world.support.pk),
    )


def test_joining_again_changes_nothing(world: World) -> None:
    world.public.join(by=world.otto)
    before = again(world.public).revision
    assert world.public.join(by=world.otto).role == "member"
    assert again(world.public).revision == before


def test_a_waiting_room_becomes_active_with_its_first_staff(world: World) -> None:
    room = Room.objects.open("Help", by=world.ada, mode="support", on_behalf_of=world.carl)
    room.join(by=world.amy)
    room = again(room)
    assert (room.state, room.waiting_since) == ("active", None)


def test_a_waiting_room_goes_on_waiting_for_customers(world: World) -> None:
    room = Room.objects.open("Help", by=world.ada, mode="support", on_behalf_of=world.carl)
    room.invite(world.dora, by=world.root)
    assert again(room).state == "waiting"


@pytest.mark.parametrize("archived", [False, True])
def test_nobody_new_enters_a_closed_room(world: World, archived: bool) -> None:
    for room in (world.public, world.support):
        room.close(by=world.ben if room is world.public else world.ada)
        if archived:
            room.archive(by=world.ben if room is world.public else world.ada)
    code = "room_archived" if archived else "room_closed"
    assert world.answer(lambda who: again(world.public).join(by=who), world.otto) == code
    assert world.answer(lambda who: again(world.support).join(by=who), world.amy) == code
    assert (
        world.answer(lambda who: again(world.public).invite(world.otto, by=who), world.ben) == code
    )


# What exists for whom


def test_what_exists_for_whom(world: World) -> None:
    def existing(scope: str) -> dict[str, set[str]]:
        names = {room.pk: name for name, room in world.rooms.items()}
        asked = getattr(Room.objects, scope)
        found = {
            name: {names[room.pk] for room in asked(who)} for name, who in world.people.items()
        }
        return {name: rooms for name, rooms in found.items() if rooms}

    mine = {
        "sue": {"support"},
        "ada": {"support"},
        "ben": {"team", "public", "direct"},
        "cleo": {"team", "public", "direct"},
        "vic": {"team"},
        "dee": {"team"},
        "gus": {"team"},
        "carl": {"support"},
        "dora": {"support"},
        "parrot": {"team", "support"},
    }
    assert existing("for_user") == mine
    site = ["root", "sue", "ada", "amy", "ben", "cleo", "vic", "dee", "otto"]
    assert existing("public_for") == {name: {"public"} for name in site}
    assert existing("desk_for") == {name: {"support"} for name in ("root", "sue", "ada", "amy")}
    all_of_them = {name: set(rooms) for name, rooms in mine.items()}
    for name in site:
        all_of_them.setdefault(name, set()).add("public")
    for name in ("root", "sue", "ada", "amy"):
        all_of_them[name].add("support")
    assert existing("findable_by") == all_of_them


# Limits


def test_a_full_room_takes_nobody(world: World, settings: object) -> None:
    settings.CHAT_ROOM_MAX_PARTICIPANTS = 2
    with pytest.raises(Room.Full):
        world.public.join(by=world.otto)
    with pytest.raises(Room.Full):
        Room.objects.open("New", by=world.ben, people=[world.cleo, world.vic])
    assert issubclass(Room.Full, Conflict)
    assert again(world.public).participants.count() == 2


def test_the_last_seat_can_be_had(world: World, settings: object) -> None:
    settings.CHAT_ROOM_MAX_PARTICIPANTS = 3
    world.public.join(by=world.otto)
    assert world.public.participants.count() == 3


def test_a_person_is_in_so_many_rooms_and_no_more(world: World, settings: object) -> None:
    settings.CHAT_PERSON_MAX_ROOMS = 1
    world.public.join(by=world.otto)
    with pytest.raises(Room.TooMany):
        Room.objects.open("New", by=world.otto)
    with pytest.raises(Room.TooMany):
        Room.objects.direct(world.otto, by=world.amy)
    assert Participant.objects.filter(user=world.otto).count() == 1
