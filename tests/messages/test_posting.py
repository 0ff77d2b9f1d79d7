"""Saying something: who may say what to whom, what is said where nothing is chosen, and limits."""

import pytest

from accounts.errors import Forbidden, Invalid, NotFound
from messages.audience import choices_for
from messages.models import Message
from rooms.models import Room
from tests.world import World, again, expected


def test_who_speaks_in_a_team_room(world: World) -> None:
    answers = world.answers(lambda who: world.say(again(world.team), who))
    assert answers == expected(
        yes="ben cleo dee gus parrot", forbidden="vic", otherwise="not_found"
    )


def test_who_speaks_in_a_support_room(world: World) -> None:
    answers = world.answers(lambda who: world.say(again(world.support), who))
    assert answers == expected(yes="ada sue carl dora parrot", otherwise="not_found")


def test_who_speaks_in_a_direct_room(world: World) -> None:
    answers = world.answers(lambda who: world.say(again(world.direct), who))
    assert answers == expected(yes="ben cleo", otherwise="not_found")


def test_a_public_room_is_not_spoken_in_before_joining(world: World) -> None:
    answers = world.answers(lambda who: world.say(again(world.public), who))
    assert answers == expected(yes="ben cleo", otherwise="not_found")


def test_what_is_said_where_nothing_is_chosen(world: World) -> None:
    def audiences(room: Room, *people: str) -> dict[str, str]:
        return {name: world.say(room, world.people[name]).audience for name in people}

    everyone = "everyone"
    team = audiences(world.team, "ben", "cleo", "gus", "parrot")
    assert team == dict.fromkeys(("ben", "cleo", "gus", "parrot"), everyone)
    support = audiences(world.support, "ada", "sue", "carl", "parrot")
    assert support == {"ada": everyone, "sue": everyone, "carl": everyone, "parrot": "staff"}


def test_a_note_is_for_the_staff_of_a_support_room(world: World) -> None:
    note = lambda who: again(world.support).messages.post("hm", by=who, audience="staff")  # noqa: E731
    answers = world.answers(note)
    assert answers == expected(yes="ada sue parrot", forbidden="carl dora", otherwise="not_found")
    assert world.readers(world.note(world.ada)) == {"ada", "sue"}


def test_a_team_room_has_no_notes(world: World) -> None:
    for person in (world.ben, world.cleo, world.parrot):
        with pytest.raises(Invalid) as error:
            world.say(world.team, person, audience="staff")
        assert list(error.value.details) == ["audience"]


def test_a_whisper_reaches_its_two_ends(world: World) -> None:
    whisper = world.whisper(world.team, world.cleo, world.gus)
    assert (whisper.audience, whisper.to) == ("only", [world.gus.pk])
    assert world.readers(whisper) == {"cleo", "gus"}


def test_a_whisper_in_a_support_room_reaches_its_staff_too(world: World) -> None:
    assert world.readers(world.whisper(world.support, world.ada, world.carl)) == {
        "ada",
        "sue",
        "carl",
    }
    assert world.readers(world.whisper(world.support, world.sue, world.parrot)) == {
        "ada",
        "sue",
        "parrot",
    }


def test_what_is_for_everyone_reaches_everyone(world: World) -> None:
    assert world.readers(world.say(world.team, world.cleo)) == {
        *{"ben", "cleo", "vic", "dee", "gus", "parrot"}
    }
    everyone = {"ada", "sue", "carl", "dora", "parrot"}
    assert world.readers(world.say(world.support, world.dora)) == everyone


def test_customers_choose_nothing(world: World) -> None:
    for how in ({"audience": "staff"}, {"audience": "only", "to": [world.ada]}):
        with pytest.raises(Forbidden):
            world.say(world.support, world.carl, **how)
    assert world.say(world.support, world.carl, audience="everyone").audience == "everyone"


def test_a_robot_of_a_support_room_does_not_speak_to_everyone(world: World) -> None:
    with pytest.raises(Forbidden):
        world.say(world.support, world.parrot, audience="everyone")


@pytest.mark.parametrize(
    ("audience", "to"),
    [
        ("only", []),
        ("only", ["otto"]),
        ("only", ["gus", "carl"]),
        ("everyone", ["gus"]),
        (None, ["gus"]),
    ],
)
def test_people_are_named_exactly_for_a_whisper(
    world: World, audience: str | None, to: list[str]
) -> None:
    with pytest.raises(Invalid) as error:
        world.say(world.team, world.ben, audience=audience, to=[world.people[name] for name in to])
    assert list(error.value.details) == ["to"]
    assert not world.team.messages.filter(author=world.ben).exists()


@pytest.mark.parametrize("audience", ["", "all", "Everyone", "only ", "none"])
def test_there_is_no_other_audience(world: World, audience: str) -> None:
    if audience == "":
        assert world.say(world.team, world.ben, audience="").audience == "everyone"
        return
    with pytest.raises(Invalid):
        world.say(world.team, world.ben, audience=audience)


def test_naming_someone_twice_names_them_once(world: World) -> None:
    message = world.say(
        world.team, world.ben, audience="only", to=[world.gus, world.cleo, world.gus]
    )
    assert message.to == sorted({world.gus.pk, world.cleo.pk})


def test_what_a_composer_offers_is_what_may_be_chosen(world: World) -> None:
    for room in (world.team, world.support):
        for seat in room.participants.all():
            seat.room = room
            offered = choices_for(seat)
            to = [world.parrot]
            allowed = {
                audience
                for audience in ("everyone", "staff", "only")
                if world.answer(
                    lambda who, a=audience, r=room, to=to: again(r).messages.post(
                        "hi", by=who, audience=a, to=to if a == "only" else ()
                    ),
                    seat.user,
                )
                == "yes"
            }
            assert {str(audience) for audience in offered} == allowed
            if offered:
                assert str(offered[0]) == world.say(room, seat.user).audience


# Replies


def test_a_reply_without_a_chosen_audience_takes_the_originals(world: World) -> None:
    note = world.note(world.ada)
    assert world.say(world.support, world.sue, reply_to=note).audience == "staff"
    said = world.say(world.support, world.carl)
    assert world.say(world.support, world.sue, reply_to=said).audience == "everyone"


def test_an_answer_to_a_whisper_goes_to_its_ends_less_me(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo, world.gus)
    answer = world.say(world.team, world.cleo, reply_to=whisper)
    assert (answer.audience, set(answer.to)) == ("only", {world.ben.pk, world.gus.pk})
    own = world.say(world.team, world.ben, reply_to=whisper)
    assert set(own.to) == {world.cleo.pk, world.gus.pk}


def test_staff_who_answer_a_whisper_of_others_speak_to_both(world: World) -> None:
    whisper = world.whisper(world.support, world.ada, world.carl)
    answer = world.say(world.support, world.sue, reply_to=whisper)
    assert set(answer.to) == {world.ada.pk, world.carl.pk}


def test_an_answer_to_a_whisper_names_only_who_is_still_here(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo, world.gus)
    again(world.team).leave(by=world.cleo)
    assert world.say(world.team, world.gus, reply_to=whisper).to == [world.ben.pk]
    lonely = world.whisper(world.team, world.gus, world.dee)
    again(world.team).leave(by=world.dee)
    with pytest.raises(Invalid):
        world.say(world.team, world.gus, reply_to=lonely)


def test_a_customers_reply_is_always_to_everyone(world: World) -> None:
    whisper = world.whisper(world.support, world.ada, world.carl)
    assert world.say(world.support, world.carl, reply_to=whisper).audience == "everyone"


def test_a_robots_reply_in_a_support_room_is_for_staff_or_its_asker(world: World) -> None:
    said = world.say(world.support, world.carl)
    assert world.say(world.support, world.parrot, reply_to=said).audience == "staff"
    asked = world.whisper(world.support, world.ada, world.parrot)
    answer = world.say(world.support, world.parrot, reply_to=asked)
    assert (answer.audience, answer.to) == ("only", [world.ada.pk])


def test_a_chosen_audience_stands(world: World) -> None:
    note = world.note(world.ada)
    assert (
        world.say(world.support, world.sue, reply_to=note, audience="everyone").audience
        == "everyone"
    )
    whisper = world.whisper(world.team, world.ben, world.cleo)
    reply = world.say(world.team, world.cleo, reply_to=whisper, audience="only", to=[world.gus])
    assert reply.to == [world.gus.pk]


def test_one_replies_to_what_one_sees(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    answers = world.answers(
        lambda who: again(world.team).messages.post("re", by=who, reply_to=whisper)
    )
    assert answers == expected(yes="ben cleo", otherwise="not_found")
    note = world.note(world.ada)
    answers = world.answers(
        lambda who: again(world.support).messages.post("re", by=who, reply_to=note)
    )
    assert answers == expected(yes="ada sue", otherwise="not_found")


def test_one_replies_within_the_room_and_not_to_a_tombstone(world: World) -> None:
    elsewhere = world.say(world.public, world.ben)
    with pytest.raises(NotFound):
        world.say(world.team, world.ben, reply_to=elsewhere)
    gone = world.say(world.team, world.ben)
    again(gone).remove(by=world.ben)
    with pytest.raises(NotFound):
        world.say(world.team, world.ben, reply_to=gone)


# Text


@pytest.mark.parametrize("body", ["", " ", "\n\t", "nul\0nul", "\ud800"])
def test_what_is_no_text(world: World, body: str) -> None:
    with pytest.raises(Invalid) as error:
        world.say(world.team, world.ben, body)
    assert list(error.value.details) == ["body"]


@pytest.mark.parametrize("char", ["x", "😀", "é", "汉"])
def test_a_message_has_at_most_16000_code_points(world: World, char: str) -> None:
    assert world.say(world.team, world.ben, char * 16_000).body == char * 16_000
    with pytest.raises(Invalid) as error:
        world.say(world.team, world.ben, char * 16_001)
    assert list(error.value.details) == ["body"]


def test_what_a_message_carries(world: World) -> None:
    before = again(world.team).revision
    message = again(world.say(world.team, world.cleo, "**hi** <script>x</script>"))
    assert (message.author, message.author_role, message.kind) == (world.cleo, "member", "text")
    assert (message.status, message.version, message.revision) == ("complete", 1, before + 1)
    assert message.body == "**hi** <script>x</script>"
    assert "<strong>hi</strong>" in message.html
    assert "<script>" not in message.html
    room = again(world.team)
    assert (room.revision, room.newest) == (message.revision, message.pk)


def test_the_role_at_the_time_stays_on_the_message(world: World) -> None:
    message = world.say(world.team, world.cleo)
    again(world.team).change_role(world.cleo, "viewer", by=world.ben)
    assert again(message).author_role == "member"


def test_a_room_that_grows_long_says_so_once(world: World, settings: object) -> None:
    settings.CHAT_ROOM_MESSAGES_WARN = again(world.team).message_count + 2
    for _ in range(4):
        world.say(world.team, world.ben)
    (note,) = Message.objects.filter(room=world.team, data__event="long")
    assert note.audience == "everyone"
    settings.CHAT_ROOM_MESSAGES_WARN = again(world.support).message_count + 1
    world.say(world.support, world.carl)
    (note,) = Message.objects.filter(room=world.support, data__event="long")
    assert note.audience == "staff"
