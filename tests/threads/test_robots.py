"""Robots of the room around a side-bar, in it."""

from accounts.models import User
from messages.models import Message
from robots.models import Reply, Robot, RobotSeat
from tests.robots.talking import answer, seated
from tests.threads.beside import beside, look, private
from tests.threads.beside import seated as in_it
from tests.world import World, again


def sees(who: User, message: Message) -> bool:
    return Message.objects.visible_to(who).filter(pk=message.pk).exists()


def test_a_robot_around_it_answers_who_names_it(world: World, said: Message) -> None:
    (echo,) = seated(world, again(world.team), "echo")
    sidebar = beside(said, world.ben)
    question = world.say(sidebar.room, world.ben, "@echo hello")
    assert in_it(sidebar)["echo"] == "robot"
    reply = Reply.objects.get(robot=echo)
    assert reply.message.room_id == sidebar.pk
    said_back = answer(reply, "hello")
    assert (said_back.room_id, said_back.reply_to) == (sidebar.pk, question)
    assert not sees(world.cleo, said_back)
    look(sidebar, world.cleo)
    assert sees(world.cleo, said_back)


def test_no_robot_answers_in_a_private_one_it_is_not_in(world: World, said: Message) -> None:
    seated(world, again(world.team), "echo")
    sidebar = private(said, world.ben)
    world.say(sidebar.room, world.ben, "@echo hello")
    assert not Reply.objects.exists()


def test_a_robot_that_is_invited_answers_in_a_private_one(world: World, said: Message) -> None:
    (echo,) = seated(world, again(world.team), "echo")
    sidebar = private(said, world.ben, echo.user)
    world.say(sidebar.room, world.ben, "@echo hello")
    assert Reply.objects.get(robot=echo).message.room_id == sidebar.pk


def test_a_robot_that_is_retired_is_in_no_side_bar(world: World, said: Message) -> None:
    (echo,) = seated(world, again(world.team), "echo")
    sidebar = private(said, world.ben, echo.user)
    Robot.objects.get(pk=echo.pk).retire(by=world.root)
    assert set(in_it(sidebar)) == {"ben"}
    assert not RobotSeat.objects.exists()


def test_a_robot_of_a_support_room_answers_staff_in_its_side_bars(
    world: World, asked: Message
) -> None:
    (echo,) = seated(world, again(world.support), "echo")
    sidebar = beside(asked, world.ada)
    world.say(sidebar.room, world.ada, "@echo hello")
    reply = Reply.objects.filter(robot=echo).first()
    assert reply is not None
    assert reply.message.room_id == sidebar.pk
    assert sees(world.ada, reply.message)
    assert not sees(world.carl, reply.message)
