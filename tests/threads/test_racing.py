"""What happens in side-bars and around them at the same moment, on real connections."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection

from accounts.errors import DomainError
from accounts.models import User
from accounts.roles import SiteRole
from messages.models import Message
from messages.posting import Draft, Posted
from robots.models import Robot, RobotSeat
from rooms.models import Participant, Room
from rooms.signals import room_changed
from tests.race import race, until_it_waits_for_us
from tests.threads.beside import beside, private
from tests.world import World, again
from threads.models import Sidebar

ROUNDS = 4
"""Who is first differs from one to the next."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.fixture
def said(world: World) -> Message:
    return world.say(world.team, world.cleo, "shall we?")


def outcome(results: list[object]) -> None:
    """Each came through, or was refused as by the rules: no deadlock, nothing broken."""
    for result in results:
        assert not isinstance(result, Exception) or isinstance(result, DomainError), repr(result)


def post(room: int, by: User, body: str = "hi") -> Callable[[], object]:
    return lambda: Message.objects.post_all([Draft(room=room, author=by, body=body)])


def look(room: int, who: User) -> Callable[[], object]:
    return lambda: Room.objects.seat_in(room, who)


def seats_are_right() -> None:
    """No seat in a side-bar without one around it, as the same, and of no customer."""
    for seat in Participant.objects.exclude(room__parent=None).select_related("outer", "room"):
        assert seat.outer is not None
        assert (seat.outer.room_id, seat.outer.user_id) == (seat.room.parent_id, seat.user_id)
        assert seat.role == seat.outer.role != "customer"


@pytest.mark.parametrize("how", ["removed", "made a viewer"])
def test_coming_by_against_what_becomes_of_ones_seat(world: World, said: Message, how: str) -> None:

    def change() -> object:
        if how == "removed":
            return again(world.team).remove(world.gus, by=world.ben)
        return again(world.team).change_role(world.gus, "viewer", by=world.ben)

    for _ in range(ROUNDS):
        some = [beside(said, world.ben) for _ in range(2)]
        outcome(
            race(change, *(look(one.pk, world.gus) for one in some), post(some[0].pk, world.gus))
        )
        seats_are_right()
        inside = Participant.objects.filter(user=world.gus, room__in=[one.pk for one in some])
        if how == "removed":
            assert not inside.exists()
            again(world.team).invite(world.gus, by=world.ben)
        else:
            again(world.team).change_role(world.gus, "member", by=world.ben)


def test_being_invited_against_being_removed(world: World, said: Message) -> None:
    for _ in range(ROUNDS):
        sidebar = private(said, world.ben)
        outcome(
            race(
                lambda: again(world.team).remove(world.gus, by=world.ben),
                lambda room=sidebar.room: again(room).invite(world.gus, by=world.ben),
                lambda: beside(said, world.ben, world.gus),
            )
        )
        seats_are_right()
        assert not Participant.objects.filter(user=world.gus).exists()
        again(world.team).invite(world.gus, by=world.ben)


def test_many_come_by_at_once_and_each_has_one_seat(world: World, said: Message) -> None:
    sidebar = beside(said, world.ben)
    people = (world.cleo, world.vic, world.gus, world.cleo)
    results = race(*(look(sidebar.pk, who) for who in people), post(sidebar.pk, world.cleo))
    assert not [result for result in results if isinstance(result, Exception)]
    assert Participant.objects.filter(room=sidebar.pk).count() == 4
    seats_are_right()


def test_posting_against_the_closing_of_the_room(world: World, said: Message) -> None:
    for _ in range(ROUNDS):
        sidebar = beside(said, world.ben)
        results = race(
            lambda: again(world.team).close(by=world.ben),
            post(sidebar.pk, world.cleo),
            post(sidebar.pk, world.ben),
            post(world.team.pk, world.ben),
        )
        outcome(results)
        for room in (sidebar.room, world.team):
            assert again(room).state == "closed"
            assert again(room).messages.latest("pk").data["event"] == "closed", "the last word"
        refused = [result for result in results if isinstance(result, Room.Closed)]
        texts = Message.objects.filter(room=sidebar.pk, kind="text").count()
        texts += Message.objects.filter(room=world.team, kind="text", body="hi").count()
        assert texts + len(refused) == 3
        again(world.team).reopen(by=world.ben)
        Message.objects.filter(room=world.team, body="hi").update(body="said")


def test_two_conclusions_are_one(world: World, said: Message) -> None:
    for _ in range(ROUNDS):
        sidebar = beside(said, world.ben)
        results = race(
            *(
                lambda one=sidebar, who=who: again(one).conclude(
                    by=who, body="Done.", client_id=uuid4()
                )
                for who in (world.ben, world.cleo, world.gus)
            )
        )
        outcome(results)
        kinds = Counter(type(result) for result in results)
        assert kinds == {Posted: 1, Sidebar.Concluded: 2}
        concluded = again(sidebar)
        assert Message.objects.filter(room=world.team, body="Done.").count() == 1
        assert concluded.conclusion.author == concluded.concluded_by
        concluded.conclusion.remove(by=world.ben)


def test_one_conclusion_sent_twice_is_one(world: World, said: Message) -> None:
    sidebar, client_id = beside(said, world.ben), uuid4()
    results = race(
        *[lambda: again(sidebar).conclude(by=world.ben, body="Done.", client_id=client_id)] * 4
    )
    assert Counter(result.replayed for result in results) == {False: 1, True: 3}
    assert len({result.message.pk for result in results}) == 1


def test_one_share_sent_twice_is_one(world: World, said: Message) -> None:
    sidebar, client_id = beside(said, world.ben), uuid4()
    pks = [world.say(again(sidebar.room), world.ben, f"{n}").pk for n in range(2)]
    results = race(
        *[lambda: again(sidebar).share(pks, by=world.ben, audience="everyone", client_id=client_id)]
        * 4
    )
    assert Counter(result.replayed for result in results) == {False: 1, True: 3}
    assert len({result.message.pk for result in results}) == 1


def test_opening_against_closing(world: World, said: Message) -> None:
    for _ in range(ROUNDS):
        outcome(
            race(
                lambda: again(world.team).close(by=world.ben),
                lambda: beside(said, world.ben),
                lambda: private(said, world.cleo, world.gus),
            )
        )
        assert again(world.team).state == "closed"
        inside = Room.objects.filter(parent=world.team)
        assert set(inside.values_list("state", flat=True)) <= {"closed"}
        again(world.team).reopen(by=world.ben)


def test_taking_one_up_against_closing_the_room(world: World, said: Message) -> None:
    sidebar = beside(said, world.ben)
    for _ in range(ROUNDS):
        again(sidebar.room).close(by=world.ben)
        outcome(
            race(
                lambda: again(sidebar.room).reopen(by=world.ben),
                lambda: again(world.team).close(by=world.ben),
                post(sidebar.pk, world.cleo),
            )
        )
        assert again(world.team).state == "closed"
        assert again(sidebar.room).state == "closed"
        again(world.team).reopen(by=world.ben)
        if again(sidebar.room).state == "closed":
            again(sidebar.room).reopen(by=world.ben)


def test_concluding_against_closing_the_room(world: World, said: Message) -> None:
    for _ in range(ROUNDS):
        sidebar = beside(said, world.ben)
        results = race(
            lambda one=sidebar: again(one).conclude(by=world.cleo, body="Done."),
            lambda: again(world.team).close(by=world.ben),
            lambda one=sidebar: again(one.room).leave(by=world.ben),
        )
        outcome(results)
        assert again(sidebar.room).state == "closed"
        is_refused = isinstance(results[0], Room.Closed)
        assert (again(sidebar).concluded_at is None) == is_refused
        again(world.team).reopen(by=world.ben)


def test_everything_at_once_ends(world: World, said: Message) -> None:
    """Each takes its locks in the one order, or somebody waits for somebody who waits for them."""
    some = [beside(said, world.ben, world.cleo) for _ in range(3)]
    pks = [world.say(again(one.room), world.cleo).pk for one in some]
    elsewhere = [Draft(room=one.pk, author=world.cleo, body="all") for one in reversed(some)]
    for _ in range(ROUNDS):
        outcome(
            race(
                lambda: again(world.team).update(by=world.ben, history="joined"),
                lambda: again(world.team).change_role(world.vic, "member", by=world.ben),
                lambda: some[0].share([pks[0]], by=world.cleo, audience="everyone"),
                lambda: again(some[1]).conclude(by=world.ben, body="Done."),
                lambda: Message.objects.post_all(
                    [*elsewhere, Draft(room=world.team.pk, author=world.cleo, body="all")]
                ),
                look(some[2].pk, world.vic),
                post(some[0].pk, world.gus, "@vic @cleo"),
            )
        )
        seats_are_right()
        again(world.team).update(by=world.ben, history="all")
        again(world.team).change_role(world.vic, "viewer", by=world.ben)
        if again(some[1]).concluded_at:
            again(some[1].room).reopen(by=world.ben)


def test_a_customer_who_writes_again_takes_up_side_bars_that_others_write_to(
    world: World,
) -> None:
    sidebar = beside(world.say(world.support, world.carl), world.ada, world.sue)
    later = Room.objects.open("Later", by=world.ada, mode="support", people=[world.sue])
    for _ in range(ROUNDS):
        again(world.support).close(by=world.ada)
        drafts = [Draft(room=pk, author=world.sue, body="hi") for pk in (later.pk, sidebar.pk)]
        outcome(
            race(
                post(world.support.pk, world.carl),
                lambda drafts=drafts: Message.objects.post_all(drafts),
                post(sidebar.pk, world.ada),
            )
        )
        assert again(world.support).state == again(sidebar.room).state == "active"


@pytest.fixture
def while_it_holds() -> Iterator[Callable[..., list[object]]]:
    """Has something tried by somebody else in the middle of a deed: when first something becomes
    of a room. Returns what came of both.
    """
    with ThreadPoolExecutor(1) as pool:

        def run(deed: Callable[[], object], beside: Callable[[], object]) -> list[object]:
            begun: list[Future[object]] = []

            def alone() -> object:
                try:
                    return beside()
                except Exception as error:
                    return error
                finally:
                    connection.close()

            def begin(**_: object) -> None:
                if not begun:
                    begun.append(pool.submit(alone))
                    until_it_waits_for_us(begun[0])

            room_changed.connect(begin)
            try:
                done = race(deed)
            finally:
                room_changed.disconnect(begin)
            assert begun, "it was tried"
            return [*done, begun[0].result()]

        yield run


def test_who_loses_seats_of_many_rooms_takes_their_locks_in_order(
    world: World, while_it_holds: Callable[..., list[object]]
) -> None:
    later = Room.objects.open("Later", by=world.ada, mode="support", people=[world.sue])
    sidebar = beside(world.say(world.support, world.carl), world.ada, world.sue)
    drafts = [Draft(room=pk, author=world.sue, body="hi") for pk in (later.pk, sidebar.pk)]
    outcome(
        while_it_holds(
            lambda: again(world.ada).set_site_role(SiteRole.MEMBER, by=world.root),
            lambda: Message.objects.post_all(drafts),
        )
    )
    assert not Participant.objects.filter(user=world.ada).exists()
    assert Message.objects.filter(body="hi").count() == 2


def test_a_robot_that_retires_takes_their_locks_in_order(
    world: World, while_it_holds: Callable[..., list[object]]
) -> None:
    echo = Robot.objects.add("echo", "Echo", by=world.root, model="builtin/parrot")
    later = Room.objects.open("Later", by=world.ben)
    for room in (world.team, later):
        RobotSeat.objects.seat(echo, room, by=world.ben)
    sidebar = beside(world.say(world.team, world.cleo), world.ben)
    drafts = [Draft(room=pk, author=world.ben, body="hi") for pk in (later.pk, sidebar.pk)]
    outcome(
        while_it_holds(
            lambda: again(echo).retire(by=world.root),
            lambda: Message.objects.post_all(drafts),
        )
    )
    assert not Participant.objects.filter(user=echo.user).exists()
    assert Message.objects.filter(body="hi").count() == 2


def test_a_robot_that_retires_does_not_stay_in_a_room_that_is_made_with_it(
    world: World, while_it_holds: Callable[..., list[object]]
) -> None:
    echo = Robot.objects.add("echo", "Echo", by=world.root, model="builtin/parrot")
    RobotSeat.objects.seat(echo, world.team, by=world.ben)
    outcome(
        while_it_holds(
            lambda: again(echo).retire(by=world.root),
            lambda: Room.objects.open("Late", by=world.ben, people=[echo.user]),
        )
    )
    assert again(echo).retired_at
    assert not Participant.objects.filter(user=echo.user).exists()


def test_a_batch_that_takes_up_side_bars_waits_for_none_that_waits_for_it(
    world: World, while_it_holds: Callable[..., list[object]]
) -> None:
    sidebar = beside(world.say(world.support, world.carl), world.ada, world.sue)
    later = Room.objects.open("Later", by=world.ada, mode="support", people=[world.sue])
    again(world.support).close(by=world.ada)
    writes_again = Draft(room=world.support.pk, author=world.carl, body="still there?")
    outcome(
        while_it_holds(
            lambda: Message.objects.post_all(
                [writes_again, Draft(room=later.pk, author=world.sue, body="hi")]
            ),
            lambda: Message.objects.post_all(
                [Draft(room=pk, author=world.sue, body="hi") for pk in (sidebar.pk, later.pk)]
            ),
        )
    )
    assert again(world.support).state == again(sidebar.room).state == "active"
