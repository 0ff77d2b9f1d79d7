"""Messages in the Django admin: read there, and written down that they were."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry
from messages.models import Attachment, EarlierText, Mention, Message, Reaction
from tests.world import World

BASE = "/admin/chat_messages/"


@pytest.fixture
def said(world: World) -> Message:
    """A message with one of everything."""
    file = SimpleUploadedFile("plan.txt", b"our plan")
    attachment = Attachment.objects.upload(file, room=world.team, by=world.ben)
    message = world.say(world.team, world.ben, "first words @cleo", attachments=[attachment])
    message.react("👍", by=world.cleo)
    message.edit("secret words", by=world.ben)
    return message


@pytest.fixture
def admin(world: World, said: Message) -> Client:
    client = Client()
    client.force_login(world.root)
    return client


def viewed() -> list[tuple[str, dict[str, Any]]]:
    entries = AuditEntry.objects.filter(action="admin.viewed").order_by("pk")
    return [(entry.target_label, entry.after) for entry in entries]


@pytest.mark.parametrize("model", [Message, EarlierText, Attachment, Reaction, Mention])
def test_every_list_opens_and_nothing_can_be_changed(admin: Client, model: Any) -> None:
    base = f"{BASE}{model._meta.model_name}/"
    row = model.objects.order_by("pk").last()
    for query in ("", "?q=ben", "?q=1"):
        assert admin.get(f"{base}{query}").status_code == 200
    assert admin.get(f"{base}{row.pk}/change/").status_code == 200
    assert admin.get(f"{base}add/").status_code == 403
    assert admin.post(f"{base}{row.pk}/change/", {}).status_code == 403
    assert admin.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_opening_a_message_is_written_down(admin: Client, world: World, said: Message) -> None:
    page = admin.get(f"{BASE}message/{said.pk}/change/").content.decode()
    assert "secret words" in page
    assert viewed() == [("Team", {"message": said.pk})]
    assert AuditEntry.objects.get(action="admin.viewed").by == world.root


def test_opening_what_it_said_before_is_written_down(admin: Client, said: Message) -> None:
    text = said.earlier_texts.get()
    page = admin.get(f"{BASE}earliertext/{text.pk}/change/").content.decode()
    assert "first words" in page
    assert viewed() == [("Team", {"earliertext": text.pk})]


def test_opening_a_file_is_written_down_and_shows_no_way_to_it(
    admin: Client, said: Message
) -> None:
    attachment = said.attachments.get()
    page = admin.get(f"{BASE}attachment/{attachment.pk}/change/").content.decode()
    assert "plan.txt" in page
    assert attachment.file.name not in page
    assert viewed() == [("Team", {"attachment": attachment.pk})]


def test_a_list_of_all_shows_no_words(admin: Client) -> None:
    for model in ("message", "earliertext", "attachment", "reaction", "mention"):
        page = admin.get(f"{BASE}{model}/").content.decode()
        for words in ("secret words", "first words", "plan.txt"):
            assert words not in page
    assert viewed() == []


def test_a_rooms_list_shows_words_and_is_written_down(admin: Client, world: World) -> None:
    world.say(world.public, world.ben, "said in public")
    rooms = f"room__id__exact={world.team.pk}"
    page = admin.get(f"{BASE}message/?{rooms}&q=secret").content.decode()
    assert "secret words" in page
    assert "said in public" not in page
    assert viewed() == [("Team", {"page": None, "search": "secret"})]
    admin.get(f"{BASE}message/?{rooms}&room__id__exact=%20{world.public.pk}")
    assert [label for label, _ in viewed()[1:]] == ["Team", "Public"]


@pytest.mark.parametrize(
    "more", ["", "&room__id__exact=x", "&room__id={room}", "&room__id__in={room}"]
)
def test_no_address_finds_words_unseen(admin: Client, world: World, more: str) -> None:
    def rows(query: str) -> int:
        address = f"{BASE}message/?q={query}{more.format(room=world.team.pk)}"
        page = admin.get(address, follow=True).content.decode()
        assert "secret words" not in page
        return len(re.findall(r"/message/\d+/change/", page))

    assert rows("ben") > 0 or "=x" in more, "those that are found are counted"
    assert rows("secret") == rows("nothing-like-it")
    assert viewed() == []


@pytest.mark.parametrize(
    "address",
    [
        "message/?body__contains=secret",
        "message/?html__contains=secret",
        "earliertext/?body__contains=first",
        "earliertext/?message__body__contains=secret",
        "reaction/?message__body__contains=secret",
        "mention/?message__body__contains=secret",
        "message/?file_names__contains=plan",
        "attachment/?message__file_names__contains=plan",
        "attachment/?name__contains=plan",
        "attachment/?message__body__contains=secret",
    ],
)
def test_nothing_is_filtered_by_what_was_said(admin: Client, address: str) -> None:
    assert admin.get(BASE + address).status_code == 400


@pytest.mark.parametrize("who", ["sue", "ada", "ben", "gus", "carl"])
def test_the_admin_is_for_site_admins(world: World, said: Message, who: str) -> None:
    client = Client()
    client.force_login(world.people[who])
    assert client.get(f"{BASE}message/{said.pk}/change/").status_code == 302
    assert client.get(f"{BASE}message/?room__id__exact={said.room_id}").status_code == 302
    assert viewed() == []
