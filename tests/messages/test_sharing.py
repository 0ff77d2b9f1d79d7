"""Sharing: the only way to a wider audience; a copy that stands on its own."""

from typing import Any

import pytest
from django.core.files.storage import default_storage

from accounts.errors import Forbidden, Invalid, NotFound
from accounts.models import AuditEntry
from messages.encoding import encode_for
from messages.models import Attachment, Message
from messages.posting import Draft
from tests.messages.files import upload
from tests.world import World, again, expected


def test_who_shares_what_they_see_within_the_room(world: World) -> None:
    message = world.say(world.team, world.cleo)
    answers = world.answers(lambda who: again(message).share(by=who, audience="everyone"))
    assert answers == expected(
        yes="ben cleo dee", forbidden="vic gus parrot", otherwise="not_found"
    )


def test_nobody_shares_what_they_do_not_see(world: World) -> None:
    whisper = world.whisper(world.team, world.cleo, world.gus)
    answers = world.answers(lambda who: again(whisper).share(by=who, audience="everyone"))
    assert answers == expected(yes="cleo", forbidden="gus", otherwise="not_found")
    note = world.note(world.ada)
    answers = world.answers(lambda who: again(note).share(by=who, audience="everyone"))
    assert answers == expected(yes="ada sue", otherwise="not_found")


def test_sharing_into_a_room_takes_being_in_it(world: World) -> None:
    message = world.say(world.team, world.cleo)
    answers = world.answers(
        lambda who: again(message).share(by=who, room=again(world.public), audience="everyone")
    )
    assert answers == expected(yes="ben cleo", otherwise="not_found")


def test_sharing_takes_the_right_to_that_audience_there(world: World) -> None:
    message = world.say(world.team, world.ben)
    with pytest.raises(Invalid):
        message.share(by=world.ben, audience="staff")
    again(world.support).invite(world.ben, by=world.ada)
    with pytest.raises(Forbidden):
        message.share(by=world.ben, room=world.support, audience="staff")


def test_a_note_shared_with_everyone_is_a_new_message_by_the_sharer(world: World) -> None:
    note = world.note(world.sue, "*answer*")
    share = note.share(by=world.ada, audience="everyone").message
    share = again(share)
    assert (share.author, share.author_role, share.body, share.html) == (
        world.ada,
        "agent",
        "*answer*",
        note.html,
    )
    assert (share.shared_from, share.audience, share.kind) == (note, "everyone", "text")
    assert world.readers(share) == {"ada", "sue", "carl", "dora", "parrot"}
    assert world.readers(note) == {"ada", "sue"}
    assert (again(note).version, again(note).revision) == (1, note.revision), "never touched"


def test_the_origin_is_shown_to_those_who_may_see_the_original(world: World) -> None:
    note = world.note(world.sue)
    share = note.share(by=world.ada, audience="everyone").message
    shown = {
        name: encode_for(who, [again(share)])[0]["shared_from"]
        for name, who in world.people.items()
    }
    assert {name for name, origin in shown.items() if origin} == {"ada", "sue"}
    assert shown["ada"] == {
        "author": world.sue.public(),
        "message": note.pk,
        "room": world.support.pk,
    }


def test_the_origin_in_another_room_is_shown_to_those_in_both(world: World) -> None:
    message = world.say(world.team, world.gus)
    share = message.share(by=world.cleo, room=world.public, audience="everyone").message
    world.public.join(by=world.otto)
    shown = {
        name
        for name in ("ben", "cleo", "otto")
        if encode_for(world.people[name], [again(share)])[0]["shared_from"]
    }
    assert shown == {"ben", "cleo"}


def test_the_copy_may_be_changed_before(world: World) -> None:
    note = world.note(world.ada, "internal: reboot it")
    share = note.share(by=world.ada, audience="everyone", body="Please **reboot** it").message
    assert (again(share).body, again(note).body) == ("Please **reboot** it", "internal: reboot it")
    assert "<strong>" in again(share).html
    with pytest.raises(Invalid):
        note.share(by=world.ada, audience="everyone", body=" ")


def test_later_edits_do_not_propagate_and_deletion_leaves_the_share(world: World) -> None:
    message = world.say(world.team, world.cleo, "first")
    share = message.share(by=world.ben, room=world.public, audience="everyone").message
    message.edit("second", by=world.cleo)
    assert again(share).body == "first"
    again(message).remove(by=world.cleo)
    share = again(share)
    assert (share.body, share.deleted_at) == ("first", None)


def test_the_sharer_takes_it_back_by_deleting(world: World) -> None:
    message = world.say(world.team, world.cleo, "first")
    share = message.share(by=world.ben, room=world.public, audience="everyone").message
    again(share).remove(by=world.ben)
    assert again(share).body == ""
    assert again(message).body == "first"


def test_whispering_a_share(world: World) -> None:
    message = world.say(world.team, world.cleo)
    share = message.share(by=world.ben, audience="only", to=[world.gus.pk]).message
    assert world.readers(share) == {"ben", "gus"}


def test_attachments_are_linked_with_the_shares_own_audience(world: World) -> None:
    file = upload(world.team, world.ben)
    whisper = world.team.messages.post(
        "look", by=world.ben, audience="only", to=[world.cleo], attachments=[file]
    )
    share = again(whisper).share(by=world.cleo, room=world.public, audience="everyone").message
    (copy,) = share.attachments.all()
    assert (copy.file.name, copy.name, copy.size, copy.room) == (
        file.file.name,
        file.name,
        file.size,
        world.public,
    )

    def readers(attachment: Attachment) -> set[str]:
        return {
            name
            for name, who in world.people.items()
            if Attachment.objects.visible_to(who).filter(pk=attachment.pk).exists()
        }

    assert readers(file) == {"ben", "cleo"}
    world.public.join(by=world.otto)
    assert readers(copy) == {"ben", "cleo", "otto"}


def test_a_file_stays_while_one_message_points_to_it(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    file = upload(world.team, world.ben)
    message = world.say(world.team, world.ben, "look", attachments=[file])
    share = again(message).share(by=world.cleo, room=world.public, audience="everyone").message
    name = file.file.name
    with django_capture_on_commit_callbacks(execute=True):
        again(message).remove(by=world.ben)
    assert default_storage.exists(name)
    assert share.attachments.get().file.read() == b"plain words"
    with django_capture_on_commit_callbacks(execute=True):
        again(share).remove(by=world.cleo)
    assert not default_storage.exists(name)


def test_a_message_of_files_alone_is_shared_too(world: World) -> None:
    message = world.say(world.team, world.ben, "", attachments=[upload(world.team, world.ben)])
    share = again(message).share(by=world.ben, audience="everyone").message
    assert share.attachments.count() == 1


def test_what_is_shared_at_once_has_no_more_files_than_a_message(
    world: World, settings: Any
) -> None:
    settings.CHAT_ATTACHMENTS_MAX = 3
    first, second = (
        world.say(world.team, world.ben, attachments=[upload(world.team, world.ben) for _ in "ab"])
        for _ in "12"
    )
    draft = Draft(
        room=world.public.pk,
        author=again(world.ben),
        body="look",
        audience="everyone",
        shared_from=first.pk,
        shared_with=(second.pk,),
    )
    with pytest.raises(Invalid) as caught:
        Message.objects.post_all([draft])
    assert caught.value.details == {"attachments": ["At most 3 files go with a message."]}
    settings.CHAT_ATTACHMENTS_MAX = 4
    (posted,) = Message.objects.post_all([draft])
    assert posted.message.attachments.count() == 4


def test_notes_cards_and_tombstones_are_not_shared(world: World) -> None:
    world.team.close(by=world.ben)
    again(world.team).reopen(by=world.ben)
    for message in world.team.messages.all():
        with pytest.raises(Invalid):
            again(message).share(by=world.ben, audience="everyone")
    gone = world.say(world.team, world.ben)
    gone.remove(by=world.ben)
    with pytest.raises(Message.Deleted):
        again(gone).share(by=world.ben, audience="everyone")


def test_sharing_a_share_names_the_share(world: World) -> None:
    message = world.say(world.team, world.cleo)
    share = message.share(by=world.ben, audience="everyone").message
    second = again(share).share(by=world.dee, audience="everyone").message
    assert again(second).shared_from == share


def test_mentions_of_a_share_are_made_anew_where_it_is_shared(world: World) -> None:
    message = world.say(world.team, world.ben, "@gus @cleo look")
    share = message.share(by=world.ben, room=world.public, audience="everyone").message
    assert set(share.mentions.values_list("user", flat=True)) == {world.cleo.pk}


def test_sharing_leaves_an_audit_entry(world: World) -> None:
    note = world.note(world.sue)
    share = note.share(by=world.ada, audience="only", to=[world.carl.pk]).message
    entry = AuditEntry.objects.get(action="message.shared")
    assert (entry.by, entry.target_id) == (world.ada, str(share.pk))
    assert entry.before == {"message": note.pk, "room": world.support.pk}
    assert entry.after == {"audience": "only", "to": [world.carl.pk], "room": world.support.pk}


def test_nothing_is_shared_into_a_closed_room(world: World) -> None:
    message = world.say(world.team, world.ben)
    world.public.close(by=world.ben)
    answer = world.answer(
        lambda who: again(message).share(by=who, room=again(world.public), audience="everyone"),
        world.ben,
    )
    assert answer == "room_closed"


def test_what_is_in_a_closed_room_is_shared_elsewhere(world: World) -> None:
    message = world.say(world.team, world.ben)
    world.team.close(by=world.ben)
    share = (
        again(message).share(by=world.ben, room=again(world.public), audience="everyone").message
    )
    assert share.room_id == world.public.pk
    with pytest.raises(NotFound):
        again(message).share(by=world.otto, room=again(world.public), audience="everyone")
