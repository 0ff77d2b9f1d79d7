"""Searching: what each operator finds, in which order, and what is said of it."""

from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.errors import Invalid
from accounts.models import User
from messages import highlight, search_index, words
from messages.models import Attachment, Message
from messages.posting import Draft
from messages.search import search
from messages.search_query import Phrase
from messages.words import fold
from rooms.models import Room
from tests.callers import Caller, answered
from tests.messages.test_query_counts import crowd, drafts, queries, rooms_of
from tests.world import World, again

NEVER = settings(max_examples=150, suppress_health_check=list(HealthCheck))


def found(text: str, by: User, **how: Any) -> list[str]:
    return [hit.message.body for hit in search(text, by=again(by), **how).hits]


def marked(text: str, by: User) -> list[str]:
    (hit,) = search(text, by=again(by)).hits
    return [part["text"] for part in hit.highlight if part["match"]]


def refusal(text: str, by: User) -> str:
    with pytest.raises(Invalid) as caught:
        search(text, by=again(by))
    assert set(caught.value.details) == {"q"}
    return caught.value.message


@pytest.fixture
def talk(world: World) -> World:
    for body in (
        "The release notes are ready",
        "Notes on the new release, as a draft",
        "Nothing else matters",
    ):
        world.say(world.team, world.ben, body)
    world.say(world.team, world.cleo, "I have read the release notes")
    world.say(world.public, world.cleo, "No release today")
    return world


@pytest.mark.usefixtures("within_a_day")
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("release", 4),
        ("RELEASE notes", 3),
        ("rel", 4),
        ("no", 1),  # shorter than what may go on: the word itself
        ("not", 4),
        ("rele notes", 0),  # only the last word may go on
        ('"release notes"', 2),
        ("“release notes”", 2),
        ("release-notes", 2),
        ('"notes release"', 0),
        ("release -draft", 3),
        ('release -"release notes"', 2),
        ("-release -nothing", 0),
        ("-release", 1),
        ("from:cleo", 2),
        ("from:@CLEO release", 2),
        ("from:me", 3),
        ("-from:me", 2),
        ("from:ben from:cleo", 5),
        ("from:nobody-at-all release", 0),
        ("in:public", 1),
        ("in:pub release", 1),
        ("-in:team", 1),
        ("in:team from:cleo notes", 1),
        ("release after:yesterday before:today", 0),
        ("release after:yesterday", 4),
        ("release before:9999-12-31", 4),
        ("release after:9999-12-31", 0),
        ("release before:0001-01-01", 0),
        ("release has:file", 0),
        ("release -has:file", 4),
        ("https://release", 0),
        ("!! release ?", 4),
    ],
)
def test_what_is_found(talk: World, text: str, count: int) -> None:
    assert len(found(text, talk.ben)) == count


def test_the_newest_come_first_and_pages_follow_each_other(talk: World) -> None:
    ids = list(Message.objects.filter(kind="text").order_by("-pk").values_list("pk", flat=True))
    first = search("from:ben from:cleo", by=again(talk.ben), limit=2)
    second = search("from:ben from:cleo", by=again(talk.ben), limit=2, before=first.next)
    third = search("from:ben from:cleo", by=again(talk.ben), limit=2, before=second.next)
    pages = [[hit.message.pk for hit in page.hits] for page in (first, second, third)]
    assert [pk for page in pages for pk in page] == ids
    assert [page.next for page in (first, second, third)] == [ids[1], ids[3], None]


@pytest.mark.usefixtures("within_a_day")
@pytest.mark.parametrize("newest", [1, 2, 5])
@pytest.mark.parametrize("looked", [1, 3])
@pytest.mark.parametrize("some", [0, 1, 1_000])
@pytest.mark.parametrize("most", [1, 2, 100])
def test_looking_through_messages_and_looking_them_up_finds_the_same(
    talk: World, monkeypatch: pytest.MonkeyPatch, newest: int, looked: int, some: int, most: int
) -> None:
    """PostgreSQL does the one after the other."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite looks all of them up.")
    asked = ["release", "not", "release -draft", '"release notes"', "from:ben", "in:team notes"]
    asked += ["release -from:ben", "-release notes", "has:file", "-has:file release"]
    looked_through = [found(text, talk.ben) for text in asked]
    assert all(looked_through[:6])
    monkeypatch.setattr(search_index, "NEWEST", newest)
    monkeypatch.setattr(search_index, "LOOKED_THROUGH", looked)
    monkeypatch.setattr(search_index, "SOME", some)
    monkeypatch.setattr(search_index, "MOST_FOUND", most)
    monkeypatch.setattr(search_index, "LOT", 2)
    assert [found(text, talk.ben) for text in asked] == looked_through


def test_a_message_is_found_by_when_it_was_said(talk: World) -> None:
    for day, message in enumerate(Message.objects.filter(kind="text").order_by("pk"), start=10):
        at = datetime(2026, 3, day, 23, 59, 59, tzinfo=UTC)
        Message.objects.filter(pk=message.pk).update(created_at=at)
    assert len(found("before:2026-03-12", talk.ben)) == 2
    assert len(found("after:2026-03-12", talk.ben)) == 2
    assert len(found("after:2026-03-10 before:2026-03-13", talk.ben)) == 2


def test_files_are_found_by_their_names(talk: World) -> None:
    file = Attachment.objects.upload(
        ContentFile(b"words", name="Q3-Bericht für Zoë.pdf"), room=talk.team, by=talk.ben
    )
    talk.team.messages.post("look", by=talk.ben, attachments=[file])
    assert found("has:file", talk.cleo) == ["look"]
    assert found("zoe bericht", talk.cleo) == ["look"]
    (hit,) = search("zoe", by=again(talk.cleo)).hits
    assert [part["text"] for part in hit.files[0] if part["match"]] == ["Zoë"]
    talk.team.messages.last().remove(by=talk.ben)
    assert found("bericht", talk.cleo) == found("has:file", talk.cleo) == []


def test_a_room_is_meant_by_its_name_its_number_or_whom_one_talks_with(talk: World) -> None:
    talk.say(talk.direct, talk.cleo, "just us")
    inner = Room.objects.nest(talk.team, by=talk.ben, access="open")
    talk.say(inner, talk.ben, "aside")
    assert found(f"in:{talk.direct.pk}", talk.ben) == ["just us"]
    assert found("in:@cleo", talk.ben) == found("in:cleo", talk.ben) == ["just us"]
    assert "aside" in found("in:team", talk.ben)
    assert "aside" not in found("in:public", talk.ben)
    twin = Room.objects.open("Te-am", by=talk.ben)
    mine = search("in:team", by=again(talk.ben)).rooms
    assert mine.word_for(talk.public.pk) == "Public"
    twin.update(by=talk.ben, name="TEAM")
    mine = search("in:team", by=again(talk.ben)).rooms
    assert mine.word_for(twin.pk) == str(twin.pk)
    assert "in no room" in refusal(f"in:{talk.support.pk}", talk.ben)
    assert "in no room" in refusal("in:support", talk.ben)


def test_a_number_and_a_handle_mean_what_they_are_and_not_what_is_called_so(talk: World) -> None:
    talk.say(talk.direct, talk.cleo, "just us")
    numbered = Room.objects.open(str(talk.team.pk), by=talk.ben)
    namesake = Room.objects.open("@Cleo", by=talk.ben)
    for room in (numbered, namesake):
        talk.say(room, talk.ben, "elsewhere")
    assert "elsewhere" not in found(f"in:{talk.team.pk}", talk.ben)
    assert found("in:@cleo", talk.ben) == ["just us"]
    rooms = search("in:team", by=again(talk.ben)).rooms
    assert rooms.word_for(numbered.pk) == str(numbered.pk)
    assert rooms.word_for(namesake.pk) == str(namesake.pk)


@pytest.mark.parametrize(
    "name", ["The “big” plan", "Plans «now»", 'a "plan', "Plans for us", "Plans: 2/3"]
)
def test_a_room_of_any_name_can_be_asked_for(talk: World, name: str) -> None:
    room = Room.objects.open(name, by=talk.ben)
    talk.say(room, talk.ben, "here")
    first = search("from:ben", by=again(talk.ben))
    narrowed = first.query.narrowed("in", first.rooms.word_for(room.pk))
    assert found(narrowed, talk.ben) == ["here"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "what to look for"),
        ("? ! 🎉", "what to look for"),
        ('"open', "opened and not closed"),
        ("form:ada", "There is no “form:”"),
        ("from: ada", "right after it"),
        ('from:"" x', "right after it"),
        ("has:cheese", "takes “file”"),
        ("before:tomorrow", "takes a day"),
        ("after:2026-02-30", "takes a day"),
        ("-after:2026-02-01", "Use “before:”"),
        ("in:nowhere", "in no room called"),
        ("x" * 501, "at most 500"),
        ("x " * 41, "at most 40"),
        ("nul \0", "not text"),
        ("half \ud800", "not text"),
    ],
)
def test_what_cannot_be_asked_is_answered_in_words(world: World, text: str, says: str) -> None:
    assert says in refusal(text, world.ben)


@pytest.mark.parametrize(
    ("said", "asked", "marks"),
    [
        ("Ein schönes Café in Łódź", "cafe lodz", ["Café", "Łódź"]),
        ("STRASSE und Straße", "straße", ["STRASSE", "Straße"]),
        ("Привет, мир", "ПРИВЕТ", ["Привет"]),
        ("ΟΔΟΣ και οδός", "οδος", ["ΟΔΟΣ", "οδός"]),
        ("İstanbul'da Iğdır", "istanbul igdir", ["İstanbul", "Iğdır"]),
        ("cafe\u0301 society", "café", ["cafe\u0301"]),
        ("私は日本語を勉強しています。", "日本語", ["日本語"]),
        ("私は日本語を勉強しています。", "勉強 日本", ["日本", "勉強"]),
        ("我们明天开会讨论项目", "讨论项目", ["讨论项目"]),
        ("ｶﾀｶﾅ and ＦＵＬＬ width", "カタカナ full", ["ｶﾀｶﾅ", "ＦＵＬＬ"]),
        ("สวัสดีครับ ยินดีต้อนรับ", "ยินดี", ["ยินดี"]),
        ("학교에서 만나요", "학교", ["학교에서"]),
        ("مَرْحَبًا بالعالم", "مرحبا", ["مَرْحَبًا"]),
        ("नमस्ते हिन्दी दुनिया", "हिन्दी", ["हिन्दी"]),
        ("see messages/posting.py, v1.2e5", "posting.py v1.2e5", None),
        ("mail ada@example.org about foo_bar", '"example org" foo_bar', None),
    ],
)
def test_case_accents_and_scripts(
    world: World, said: str, asked: str, marks: list[str] | None
) -> None:
    world.say(world.team, world.ben, "another thing")
    world.say(world.team, world.ben, said)
    assert found(asked, world.cleo) == [said]
    if marks is not None:
        assert marked(asked, world.cleo) == marks


def test_a_word_in_a_script_without_spaces_is_no_part_of_another_order(world: World) -> None:
    world.say(world.team, world.ben, "日本")
    assert found("本日", world.ben) == []


def test_what_is_shown_is_text_around_the_words_and_never_html(world: World) -> None:
    long = "word " * 200 + "**needle** <script>alert(1)</script> & so on " + "tail " * 200
    world.say(world.team, world.ben, long)
    (hit,) = search("needle", by=again(world.ben)).hits
    text = "".join(part["text"] for part in hit.highlight)
    assert text.startswith("…word")
    assert text.endswith("…")
    assert len(text) < 450
    assert "needle <script>alert(1)</script> & so on" in text
    assert [part["text"] for part in hit.highlight if part["match"]] == ["needle"]


# The index follows what happens


def test_edits_and_deletions_are_followed(world: World) -> None:
    message = world.say(world.team, world.ben, "first words")
    message.edit("second thoughts", by=world.ben)
    assert found("first", world.ben) == []
    assert found("second", world.ben) == ["second thoughts"]
    message.react("👍", by=world.cleo)
    assert len(found("thoughts", world.ben)) == 1
    message.remove(by=world.ben)
    assert found("second", world.ben) == []
    assert rows_of_the_index("second") == 0


def test_an_answer_is_found_when_it_is_finished(world: World) -> None:
    draft = Draft(room=world.team.pk, author=world.parrot, body="", attempt=1)
    ((message, _),) = Message.objects.post_all([draft])
    Message.objects.filter(pk=message.pk).update(body="half of it")
    assert found("half", world.ben) == []
    message.finish("half of it and the rest", {})
    assert found("half rest", world.ben) == ["half of it and the rest"]
    message.begin_again("anew", {}, attempt=2)
    assert found("half", world.ben) == found("anew", world.ben) == []
    message.finish("anew and done", {}, status=Message.Status.STOPPED)
    assert found("anew", world.ben) == ["anew and done"]


def test_notes_of_the_system_are_not_found(world: World) -> None:
    assert Message.objects.filter(kind="system", body__contains="brought in").exists()
    assert found("brought", world.ben) == []


def test_what_is_written_and_purged_past_the_verbs_is_followed(world: World) -> None:
    world.say(world.team, world.ben, "elephant")
    Message.objects.filter(body="elephant").update(body="giraffe", room=world.public)
    assert found("elephant", world.ben) == []
    assert found("giraffe in:public", world.ben) == ["giraffe"]
    Message.objects.filter(body="giraffe").delete()
    assert rows_of_the_index("giraffe") == 0
    world.say(world.direct, world.ben, "zebra")
    world.direct.delete()
    assert rows_of_the_index("zebra") == 0


def test_it_is_made_of_what_is_there(world: World) -> None:
    world.say(world.team, world.ben, "older than the index")
    connection.check_constraints()  # or PostgreSQL changes no table that was written to
    with connection.cursor() as cursor:
        editor = SimpleNamespace(
            connection=connection, execute=lambda sql, params: cursor.execute(sql, params)
        )
        search_index.drop(None, editor)
        search_index.create(None, editor)
    assert found("older", world.ben) == ["older than the index"]
    world.say(world.team, world.ben, "younger")
    assert found("younger", world.ben) == ["younger"]


def test_loaddata_needs_to_know_nothing_of_it(world: World, tmp_path: Any) -> None:
    message = world.say(world.team, world.ben, "to be restored")
    dump = tmp_path / "message.json"
    call_command("dumpdata", "chat_messages.message", pks=str(message.pk), output=str(dump))
    Message.objects.filter(pk=message.pk).delete()
    assert found("restored", world.ben) == []
    call_command("loaddata", str(dump), verbosity=0)
    assert found("restored", world.ben) == ["to be restored"]


def rows_of_the_index(word: str) -> int:
    asked = {
        "sqlite": "SELECT count(*) FROM chat_messages_search WHERE chat_messages_search MATCH %s",
        "postgresql": "SELECT count(*) FROM chat_messages_message WHERE search @@ chat_phrase(%s)",
    }
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            check = "INSERT INTO chat_messages_search (chat_messages_search, rank) VALUES (%s, 1)"
            cursor.execute(check, ["integrity-check"])
        cursor.execute(asked[connection.vendor], [word])
        return cursor.fetchone()[0]


# Nothing that is typed breaks it

ODD = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            *"\"'()*:&|!^+-{},\\%;",
            *("<->", "--", "%s", "%%", "NEAR(", "AND", "OR", "NOT", "words", "keys", "rowid:"),
            *("from:", "from:me", "in:team", "has:file", "-has:file", "before:2026-01-01"),
            *('"a b"', '-"c"', "a*", ":*", "'x'", "\u0e33", "\u094d", "ß", "İ", "日本", "\u200d"),
        ]
    ),
    max_size=12,
).map(" ".join)


@NEVER
@given(text=ODD)
def test_whatever_is_typed_is_found_or_refused(world: World, text: str) -> None:
    with suppress(Invalid):
        search(text, by=world.ben)


@NEVER
@given(text=st.text(min_size=1, max_size=80))
def test_whatever_is_said_is_found_by_itself(world: World, text: str) -> None:
    if "\0" in text or not fold(text).strip():
        return
    Message.objects.filter(room=world.team).delete()
    message = world.say(world.team, world.ben, f"x {text}")
    if not message.body.strip() or len(fold(text).split()) > 30:
        return
    quoted = " ".join(fold(text).split())
    assert found(f'"{quoted}"', world.cleo) == [message.body]


def test_sql_and_match_are_no_way_out_of_a_phrase(talk: World) -> None:
    for text in ('a" OR "release', "release') OR 1=1 --", "words : release OR notes", "x*", "^a"):
        search(text, by=again(talk.otto)) if text.count('"') % 2 == 0 else refusal(text, talk.otto)
        assert text.count('"') % 2 or found(text, talk.otto) == []
    assert found(f"r{talk.team.pk}", talk.ben) == []  # the keys are no words


# Costs


def test_what_a_search_costs(world: World) -> None:
    ben = again(world.ben)

    def look() -> None:
        assert search("hello", by=ben).hits

    (room,) = rooms_of(world, 1)
    Message.objects.post_all(drafts([room], ben))
    # The rooms, the others of direct ones, the index, what may be seen of it; and PostgreSQL is
    # asked where the newest ids end.
    asked = 5 if connection.vendor == "postgresql" else 4
    assert queries(look) == asked
    rooms = rooms_of(world, 60)
    crowd(room, 300)
    Message.objects.post_all(drafts(rooms * 5, ben))
    assert queries(look) == asked


def test_somebody_in_very_many_rooms_searches(world: World) -> None:
    rooms = rooms_of(world, 1_000)
    world.say(rooms[500], world.cleo, "somewhere")
    assert found("somewhere", world.ben) == ["somewhere"]
    assert found("-somewhere somewh", world.ben) == []


def test_what_hides_behind_what_one_may_not_see_is_found(world: World) -> None:
    """However much of it is between."""
    world.say(world.support, world.ada, "word")
    for _ in range(3):
        Message.objects.post_all(
            [
                Draft(room=world.support.pk, author=world.ada, body="word", audience="staff")
                for _ in range(100)
            ]
        )
    assert found("word", world.carl) == ["word"]
    assert len(found("word", world.sue)) == 20


# The API


def test_the_api_finds(talk: World) -> None:
    ben = Caller(talk.ben)
    page = ben.get("search/", q="release notes", limit=2).json()
    assert [r["message"]["body"] for r in page["results"]] == [
        "I have read the release notes",
        "Notes on the new release, as a draft",
    ]
    (result, _) = page["results"]
    assert result["room"] == {
        "id": talk.team.pk,
        "name": "Team",
        "mode": "team",
        "direct": False,
        "parent": None,
    }
    assert [part["text"] for part in result["highlight"] if part["match"]] == ["release", "notes"]
    rest = ben.get("search/", q="release notes", limit=2, cursor=page["next"]).json()
    assert [r["message"]["body"] for r in rest["results"]] == ["The release notes are ready"]
    assert rest["next"] is None


def test_the_api_says_what_is_wrong(talk: World, settings: Any) -> None:
    ben = Caller(talk.ben)
    assert answered(ben.get("search/", q="form:ada")) == (400, "invalid")
    assert "q" in ben.get("search/", q="").json()["error"]["details"]
    assert answered(ben.get("search/")) == (400, "invalid")
    assert answered(ben.get("search/", q="x", cursor=str(uuid4()))) == (400, "invalid")
    assert answered(Caller(None).get("search/", q="x")) == (401, "not_authenticated")
    settings.CHAT_THROTTLES, settings.CHAT_SEARCH_RATE, settings.CHAT_SEARCH_BURST = True, 0.001, 1
    cleo = Caller(talk.cleo)
    assert cleo.get("search/", q="x").status_code == 200
    assert answered(cleo.get("search/", q="x")) == (429, "rate_limited")


def test_a_long_message_is_read_only_as_far_as_its_first_match(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body, read = "nothing of interest but release notes " + "and more " * 1_500, []

    def places(text: str) -> Any:
        for place in words.places(text):
            read.append(place)
            yield place

    monkeypatch.setattr(highlight, "places", places)
    parts = highlight.highlight(body, [Phrase(("release", "notes"))])
    assert [part["text"] for part in parts if part["match"]] == ["release notes"]
    assert len(read) < 200
