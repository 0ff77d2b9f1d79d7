"""The pages of one message: looking, editing, deleting, reacting, sharing, acting."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import User
from messages.models import Attachment, Message
from tests.world import World, again, expected

Browse = Callable[[User], Client]
CANNOT_SIGN_IN = {"dee", "parrot", "system"}


def statuses(world: World, browse: Browse, ask: Callable[[Client], object]) -> dict[str, str]:
    return {
        name: str(ask(browse(person)).status_code)
        for name, person in world.people.items()
        if name not in CANNOT_SIGN_IN
    }


def wanted(**answers: str) -> dict[str, str]:
    given = {name.removeprefix("s"): who for name, who in answers.items() if name != "otherwise"}
    everyone = expected(otherwise=answers["otherwise"].removeprefix("s"), **given)
    return {name: answer for name, answer in everyone.items() if name not in CANNOT_SIGN_IN}


def test_only_its_author_is_shown_where_to_edit_it(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.cleo)
    found = statuses(world, browse, lambda client: client.get(f"/messages/{message.pk}/edit/"))
    assert found == wanted(s200="cleo", s403="ben vic gus", otherwise="s404")


def test_deleting_is_offered_to_its_author_and_to_who_manages_the_room(
    world: World, browse: Browse
) -> None:
    message = world.say(world.team, world.cleo)
    found = statuses(world, browse, lambda client: client.get(f"/messages/{message.pk}/delete/"))
    assert found == wanted(s200="cleo ben", s403="vic gus", otherwise="s404")


def test_sharing_is_for_members_of_the_site_who_see_it_and_write_somewhere(
    world: World, browse: Browse
) -> None:
    message = world.say(world.team, world.cleo)
    found = statuses(world, browse, lambda client: client.get(f"/messages/{message.pk}/share/"))
    # Vic sees it too, but as a viewer has nowhere to share it to.
    assert found == wanted(s200="cleo ben", s403="gus", otherwise="s404")


def test_editing_changes_what_is_said(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.cleo, "before")
    client = browse(world.cleo)
    assert "before" in client.get(f"/messages/{message.pk}/edit/").text
    answer = client.post(f"/messages/{message.pk}/edit/", {"body": "after\r\nthat"})
    assert answer["Location"].endswith(f"#message-{message.pk}")
    assert again(message).body == "after\nthat"
    refused = client.post(f"/messages/{message.pk}/edit/", {"body": "x" * 16_001})
    assert refused.status_code == 400
    assert "at most" in refused.text


def test_deleting_takes_a_second_word(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.cleo)
    client = browse(world.cleo)
    client.get(f"/messages/{message.pk}/delete/")
    assert again(message).deleted_at is None
    client.post(f"/messages/{message.pk}/delete/")
    assert again(message).deleted_at is not None


def test_nobody_deletes_by_posting_what_they_are_not_shown(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.cleo)
    for name, status in {"vic": 403, "otto": 404, "root": 404}.items():
        answer = browse(world.people[name]).post(f"/messages/{message.pk}/delete/")
        assert answer.status_code == status
    assert again(message).deleted_at is None


def test_a_reaction_comes_and_goes(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.cleo)
    client = browse(world.ben)
    for count in (1, 0):
        client.post(f"/messages/{message.pk}/react/", {"emoji": "👍"})
        assert message.reactions.count() == count
    assert client.post(f"/messages/{message.pk}/react/", {"emoji": "no"}).status_code == 400


def share(client: Client, message: Message, **fields):
    given = {"client_id": str(uuid4()), "body": message.body, "audience": "everyone", **fields}
    return client.post(f"/messages/{message.pk}/share/", given)


def test_a_share_is_a_changed_copy_for_others(world: World, browse: Browse) -> None:
    note = world.note(world.ada, "rough words")
    answer = share(browse(world.ada), note, room=world.support.pk, body="kind words")
    copy = world.support.messages.order_by("pk").last()
    assert answer.status_code == 302
    assert (copy.body, copy.audience, copy.shared_from) == ("kind words", "everyone", note)
    assert "carl" in world.readers(copy)
    assert "carl" not in world.readers(note)


def test_another_copy_sent_from_the_same_form_is_shared_at_the_second_try(
    world: World, browse: Browse
) -> None:
    """As it is after going back."""
    client, message = browse(world.ben), world.say(world.team, world.ben, "hello")
    given = {"client_id": str(uuid4()), "room": world.public.pk}
    share(client, message, **given, body="one")
    answer = share(client, message, **given, body="two")
    assert answer.status_code == 400
    assert "Send this to say it as well." in answer.text
    given["client_id"] = re.search(r'name="client_id" value="([^"]+)"', answer.text).group(1)
    assert share(client, message, **given, body="two").status_code == 302
    said = world.public.messages.filter(shared_from=message).order_by("pk")
    assert [copy.body for copy in said] == ["one", "two"]


def test_a_file_without_words_is_shared_as_it_is(world: World, browse: Browse) -> None:
    file = Attachment.objects.upload(ContentFile(b"x", "a.txt"), room=world.team, by=world.ben)
    message = world.say(world.team, world.ben, "", attachments=[file])
    assert share(browse(world.ben), message, room=world.public.pk).status_code == 302
    copy = world.public.messages.order_by("pk").last()
    assert [file.name for file in copy.attachments.all()] == ["a.txt"]


def test_looking_again_for_another_room_shares_nothing(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.ben, "hello")
    before = Message.objects.count()
    page = share(browse(world.ben), message, room=world.public.pk, body="changed", look="1")
    assert Message.objects.count() == before
    assert "changed" in page.text
    assert re.search(rf'<option value="{world.public.pk}" selected', page.text)
    assert "Gus" not in page.text


def test_one_shares_only_into_rooms_where_one_may_write(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.cleo)
    world.public.close(by=world.ben)
    before = Message.objects.count()
    assert share(browse(world.cleo), message, room=world.support.pk).status_code == 404
    assert share(browse(world.cleo), message, room=world.public.pk).status_code == 404
    assert Message.objects.count() == before


def test_a_whisper_to_nobody_is_refused_with_a_reason(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.cleo)
    answer = share(browse(world.cleo), message, room=world.team.pk, audience="only")
    assert answer.status_code == 400
    assert "Name people" in answer.text


def test_a_card_does_what_it_offers_unless_it_has_changed(world: World, browse: Browse) -> None:
    world.team.close(by=world.ben)
    card = world.team.messages.get(kind="card")
    client = browse(world.ben)
    assert "Reopen" in client.get(f"/messages/{card.pk}/").text
    stale = {"action": "reopen", "version": card.version + 1}
    client.post(f"/messages/{card.pk}/actions/", stale)
    assert again(world.team).state == "closed"
    client.post(f"/messages/{card.pk}/actions/", {"action": "reopen", "version": card.version})
    assert again(world.team).state == "active"


def test_a_click_says_that_one_has_read_and_another_that_one_has_not(
    world: World, browse: Browse
) -> None:
    message = world.say(world.team, world.ben)
    page = browse(world.cleo).get(f"/rooms/{world.team.pk}/").text
    assert f"/messages/{message.pk}/read/" in page
    browse(world.cleo).post(f"/messages/{message.pk}/read/")
    assert world.seat(world.team, world.cleo).last_read == message.pk
    assert "/read/" not in browse(world.cleo).get(f"/rooms/{world.team.pk}/").text
    browse(world.cleo).post(f"/messages/{message.pk}/unread/")
    assert world.seat(world.team, world.cleo).last_read < message.pk


def test_links_alone_change_nothing(world: World, browse: Browse) -> None:
    message = world.say(world.team, world.ben)
    for deed in ("react", "actions", "read", "unread"):
        assert browse(world.ben).get(f"/messages/{message.pk}/{deed}/").status_code == 405
