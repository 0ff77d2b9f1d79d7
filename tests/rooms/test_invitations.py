"""Invitations by link: who makes them, what they give, when they end, and that uses are counted."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuditEntry, User
from rooms.models import Invitation, Participant, Room
from tests.race import race
from tests.world import World, again, expected


def link(room: Room, by: User, **how: object) -> str:
    return again(room).create_invitation(by=by, **how)[1]


def test_who_makes_links(world: World) -> None:
    team = world.answers(lambda who: link(world.team, who))
    assert team == expected(yes="ben root system", otherwise="forbidden")
    support = world.answers(lambda who: link(world.support, who))
    assert support == expected(yes="ada sue root system", otherwise="forbidden")
    direct = world.answers(lambda who: link(world.direct, who))
    assert direct == expected(otherwise="forbidden")


@pytest.mark.parametrize(
    ("room", "by", "allowed"),
    [("team", "ben", {"member", "viewer"}), ("support", "ada", {"customer"})],
)
def test_what_links_give(world: World, room: str, by: str, allowed: set[str]) -> None:
    maker = world.people[by]
    roles = ["owner", "member", "viewer", "customer", "agent", "supervisor", "robot", "king"]
    codes = {
        role: world.answer(lambda who, role=role: link(world.rooms[room], who, role=role), maker)
        for role in roles
    }
    assert {role for role, code in codes.items() if code == "yes"} == allowed
    assert set(codes.values()) == {"yes", "role_not_allowed"}


@pytest.mark.parametrize(
    ("room", "by", "role"), [("team", "ben", "member"), ("support", "ada", "customer")]
)
def test_what_a_link_gives_where_no_role_is_named(
    world: World, room: str, by: str, role: str
) -> None:
    invitation, _ = world.rooms[room].create_invitation(by=world.people[by])
    assert invitation.role == role


def test_who_enters_by_a_team_link(world: World) -> None:
    token = link(world.team, world.ben, role="viewer")
    answers = world.answers(lambda who: Invitation.objects.accept(token, user=who))
    assert answers == expected(role_not_allowed="", invalid="system", otherwise="yes")


def test_even_agents_enter_a_support_room_by_link_as_customers(world: World) -> None:
    token = link(world.support, world.ada)
    assert Invitation.objects.accept(token, user=world.amy).role == "customer"


def test_a_guest_enters_with_nothing_but_a_name(world: World) -> None:
    seat = Invitation.objects.accept_as_guest(
        link(world.team, world.ben, role="viewer"), name="Gila"
    )
    assert (seat.role, seat.user.kind, seat.user.name) == ("viewer", "guest", "Gila")
    assert not seat.user.has_usable_password()
    assert seat.user.site_role is None
    assert (seat.invited_by, seat.room) == (world.ben, world.team)


def test_a_token_is_stored_hashed_and_audited_without_it(world: World) -> None:
    invitation, token = world.team.create_invitation(by=world.ben)
    assert token not in str(Invitation.objects.filter(pk=invitation.pk).values().get())
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.by, entry.after["role"]) == (
        "invitation.created",
        world.ben,
        "member",
    )
    assert token not in f"{entry.after} {entry.target_label}"


def test_a_link_ends_when_it_expires(world: World) -> None:
    token = link(world.team, world.ben, expires_in=timedelta(hours=1))
    with time_machine.travel(timezone.now() + timedelta(minutes=59), tick=False):
        assert (
            world.answer(lambda who: Invitation.objects.accept(token, user=who), world.otto)
            == "yes"
        )
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert (
            world.answer(lambda who: Invitation.objects.accept(token, user=who), world.otto)
            == "not_found"
        )


def test_a_link_ends_after_seven_days_where_nothing_is_said(world: World) -> None:
    invitation, _ = world.team.create_invitation(by=world.ben)
    assert timedelta(days=6, hours=23) < invitation.expires_at - timezone.now() <= timedelta(days=7)


def test_a_link_ends_when_it_is_revoked(world: World) -> None:
    invitation, token = world.team.create_invitation(by=world.ben)
    invitation.revoke(by=world.ben)
    with pytest.raises(Invitation.Unusable):
        Invitation.objects.accept(token, user=world.otto)
    assert AuditEntry.objects.latest("pk").action == "invitation.revoked"
    count = AuditEntry.objects.count()
    again(invitation).revoke(by=world.ben)
    assert AuditEntry.objects.count() == count


def test_who_revokes_links(world: World) -> None:
    invitation, _ = world.team.create_invitation(by=world.ben)
    answers = world.answers(lambda who: again(invitation).revoke(by=who))
    assert answers == expected(yes="ben root system", otherwise="forbidden")


def test_a_link_ends_when_it_is_used_up(world: World) -> None:
    token = link(world.team, world.ben, uses=2)
    Invitation.objects.accept(token, user=world.otto)
    Invitation.objects.accept_as_guest(token, name="Gila")
    with pytest.raises(Invitation.Unusable):
        Invitation.objects.accept(token, user=world.amy)
    with pytest.raises(Invitation.Unusable):
        Invitation.objects.accept_as_guest(token, name="Gert")
    assert not User.objects.filter(name="Gert").exists()


def test_who_is_in_already_takes_no_use_and_keeps_their_role(world: World) -> None:
    token = link(world.team, world.ben, uses=1, role="viewer")
    assert Invitation.objects.accept(token, user=world.cleo).role == "member"
    assert Invitation.objects.accept(token, user=world.otto).role == "viewer"


@pytest.mark.parametrize("why", ["closed", "full"])
def test_who_is_not_let_in_takes_no_use(world: World, settings: object, why: str) -> None:
    invitation, token = world.team.create_invitation(by=world.ben, uses=1)
    if why == "closed":
        again(world.team).close(by=world.ben)
    else:
        settings.CHAT_ROOM_MAX_PARTICIPANTS = 1
    users = User.objects.count()
    answer = world.answer(lambda who: Invitation.objects.accept(token, user=who), world.otto)
    assert answer == f"room_{why}"
    assert (
        world.answer(lambda who: Invitation.objects.accept_as_guest(token, name="G"), world.otto)
        == answer
    )
    assert again(invitation).uses_left == 1
    assert User.objects.count() == users


def test_no_links_into_a_closed_room(world: World) -> None:
    world.team.close(by=world.ben)
    with pytest.raises(Room.Closed):
        again(world.team).create_invitation(by=world.ben)


def test_an_unknown_token_is_like_a_spent_one(world: World) -> None:
    for token in ("", "x", "ä" * 40, "\0"):
        with pytest.raises(Invitation.Unusable):
            Invitation.objects.accept(token, user=world.otto)


@pytest.mark.django_db(transaction=True)
def test_a_one_use_link_lets_exactly_one_of_many_in(world: World) -> None:
    token = link(world.team, world.ben, uses=1)
    racers = [world.otto, world.amy, world.ada, world.sue, world.root, world.carl]
    outcomes = race(*(lambda who=who: Invitation.objects.accept(token, user=who) for who in racers))
    assert (
        sorted(type(outcome).__name__ for outcome in outcomes) == ["Participant"] + ["Unusable"] * 5
    )
    assert Participant.objects.filter(room=world.team, user__in=racers).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_two_use_link_lets_two_guests_in_and_makes_no_third(world: World) -> None:
    token = link(world.team, world.ben, uses=2)
    outcomes = race(
        *(
            lambda n=n: Invitation.objects.accept_as_guest(token, name=f"Racer {n}")
            for n in range(5)
        )
    )
    assert (
        sorted(type(outcome).__name__ for outcome in outcomes)
        == ["Participant"] * 2 + ["Unusable"] * 3
    )
    assert User.objects.filter(name__startswith="Racer").count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_person_racing_with_themselves_enters_once_and_takes_one_use(world: World) -> None:
    invitation, token = world.team.create_invitation(by=world.ben, uses=3)
    outcomes = race(*[lambda: Invitation.objects.accept(token, user=world.otto)] * 4)
    assert len({seat.pk for seat in outcomes}) == 1
    assert again(invitation).uses_left == 2
