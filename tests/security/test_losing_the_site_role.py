"""Who is staff no longer reads no more of what staff say."""

import pytest

from accounts.models import AuditEntry
from accounts.roles import SiteRole
from messages.models import Message
from tests.callers import Caller
from tests.world import World, again


def role_of(world: World, name: str) -> str | None:
    seat = world.support.participant(again(getattr(world, name)))
    return seat.role if seat else None


def test_an_agent_made_a_member_is_out_of_support_rooms_at_once(world: World) -> None:
    note, ada = world.note(world.sue), Caller(world.ada)
    assert ada.get(f"messages/{note.pk}/").status_code == 200
    world.ada.set_site_role(SiteRole.MEMBER, by=world.root)
    assert role_of(world, "ada") is None
    assert ada.get(f"messages/{note.pk}/").status_code == 404
    assert ada.get(f"rooms/{world.support.pk}/").status_code == 404
    assert ada.patch(f"rooms/{world.support.pk}/", name="mine").status_code == 404


def test_a_supervisor_made_an_agent_is_one_in_rooms_too(world: World) -> None:
    world.sue.set_site_role(SiteRole.AGENT, by=world.root)
    assert role_of(world, "sue") == "agent"
    assert world.seat(world.support, world.sue).view_since == again(world.support).people_revision


@pytest.mark.parametrize("role", [SiteRole.SUPERVISOR, SiteRole.ADMIN])
def test_a_promotion_changes_no_seat(world: World, role: SiteRole) -> None:
    before = again(world.support).revision
    world.ada.set_site_role(role, by=world.root)
    assert role_of(world, "ada") == "agent"
    assert again(world.support).revision == before


def test_seats_that_need_no_site_role_stay(world: World) -> None:
    world.support.invite(world.otto, by=world.ada, role="customer")
    world.public.invite(world.ada, by=world.ben)
    world.otto.set_site_role(SiteRole.AGENT, by=world.root)
    world.otto.set_site_role(SiteRole.MEMBER, by=world.root)
    world.ada.set_site_role(SiteRole.MEMBER, by=world.root)
    assert role_of(world, "otto") == "customer"
    assert world.public.participant(world.ada) is not None


def test_a_room_without_staff_waits_and_the_loss_is_on_record(world: World) -> None:
    world.support.remove(world.sue, by=world.ada)
    world.ada.set_site_role(SiteRole.MEMBER, by=world.root)
    assert again(world.support).state == "waiting"
    entry = AuditEntry.objects.filter(action="room.removed").latest("pk")
    assert (entry.by, entry.after["ada"]) == (world.root, "agent")
    note = Message.objects.filter(room=world.support).latest("pk")
    assert (note.audience, note.body) == ("staff", "Root removed Ada.")
