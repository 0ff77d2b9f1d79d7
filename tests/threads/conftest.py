"""Messages that side-bars are opened on."""

import pytest

from messages.models import Message
from tests.threads.beside import beside, private
from tests.world import World
from threads.models import Sidebar


@pytest.fixture
def said(world: World) -> Message:
    """To all of the team."""
    return world.say(world.team, world.cleo, "shall we?")


@pytest.fixture
def asked(world: World) -> Message:
    """By the customer."""
    return world.say(world.support, world.carl, "where is it?")


@pytest.fixture
def talk(world: World, said: Message) -> Sidebar:
    """Open to all of the team; ben has opened it."""
    return beside(said, world.ben)


@pytest.fixture
def aside(world: World, said: Message) -> Sidebar:
    """Private to ben, who has opened it, and gus."""
    return private(said, world.ben, world.gus)


@pytest.fixture
def internal(world: World, asked: Message) -> Sidebar:
    """Open to the staff of the support room; ada has opened it."""
    return beside(asked, world.ada)
