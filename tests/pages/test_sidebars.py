"""The pages of side-bars: who is shown them, and opening, reading, sharing back, concluding."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messages.models import Message
from messages.overview import NAMELESS
from robots.models import Reply, Robot, RobotSeat
from robots.outcome import Outcome
from rooms.models import Room
from tests.world import World, again, expected
from threads import forms
from threads.models import Sidebar

Browse = Callable[[User], Client]
CANNOT_SIGN_IN = {"dee", "parrot", "system"}


def beside(anchor: Message, by: User, **how: object) -> Sidebar:
    return Sidebar.objects.open(again(anchor), by=by, **how)


def page_of(client: Client, room: Room | int) -> str:
    return client.get(f"/rooms/{getattr(room, 'pk', room)}/").text


def stubs_on(page: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'class="stub"[^>]*data-sidebar="(\d+)"', page)]


def rows_on(page: str) -> dict[int, str]:
    """Side-bars in the list of rooms, each with what stands in its row."""
    rows = re.findall(r'<li class="room-row room-row-side".*?</li>', page, re.DOTALL)
    return {int(row.partition('data-room="')[2].partition('"')[0]): row for row in rows}


def unread_in(part: str) -> dict[str, str]:
    """The counts that are shown."""
    found = re.findall(r'data-count="(\w+)"( hidden)?>.*?data-number>(.*?)<', part, re.DOTALL)
    return {name: number for name, hidden, number in found if not hidden}


def statuses(world: World, browse: Browse, path: str) -> dict[str, int]:
    return {
        who: browse(person).get(path).status_code
        for who, person in world.people.items()
        if who not in CANNOT_SIGN_IN
    }


def wanted(otherwise: int, **names: str) -> dict[str, int]:
    by_status = {name.removeprefix("s"): who for name, who in names.items()}
    answers = expected(otherwise=str(otherwise), **by_status)
    return {who: int(answer) for who, answer in answers.items() if who not in CANNOT_SIGN_IN}


@pytest.mark.parametrize("room", ["team", "support"])
def test_the_form_is_there_for_those_who_may_open_one(
    room: str, world: World, browse: Browse
) -> None:
    by = world.ada if room == "support" else world.ben
    anchor = world.say(world.rooms[room], by)
    answers = {
        "team": wanted(404, s200="ben cleo gus", s403="vic"),
        "support": wanted(404, s200="ada sue", s403="carl dora"),
    }[room]
    assert statuses(world, browse, f"/messages/{anchor.pk}/sidebar/") == answers
    entries = {
        who: "Open a side-bar" in browse(world.people[who]).get(f"/messages/{anchor.pk}/").text
        for who, status in answers.items()
        if status != 404
    }
    assert entries == {who: status == 200 for who, status in answers.items() if status != 404}


def test_where_none_may_be_opened_none_is_offered(world: World, browse: Browse) -> None:
    ben, said = browse(world.ben), world.say(world.team, world.ben)
    whisper = world.whisper(world.team, world.ben, world.cleo)
    gone = world.say(world.team, world.ben)
    gone.remove(by=world.ben)
    inside = world.say(beside(said, world.ben).room, world.ben)
    for message in (whisper, gone, inside):
        assert "Open a side-bar" not in ben.get(f"/messages/{message.pk}/").text
        answer = ben.post(f"/messages/{message.pk}/sidebar/", {"access": "open"})
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
    world.team.close(by=world.ben)
    assert "Open a side-bar" not in ben.get(f"/messages/{said.pk}/").text
    assert "data-may-open-sidebars" not in page_of(ben, world.team)


def test_it_is_opened_with_a_title_and_people(world: World, browse: Browse) -> None:
    anchor = world.say(world.team, world.ben)
    given = {"title": "Prices", "access": "private", "invite": [world.cleo.pk, world.parrot.pk]}
    answer = browse(world.ben).post(f"/messages/{anchor.pk}/sidebar/", given)
    opened = Sidebar.objects.get(anchor=anchor)
    assert answer["Location"] == f"/rooms/{opened.pk}/"
    assert (opened.room.name, opened.room.visibility) == ("Prices", "private")
    seated = set(opened.room.participants.values_list("user__handle", flat=True))
    assert seated == {"ben", "cleo", "parrot"}


def test_only_people_of_the_room_around_are_brought_in(world: World, browse: Browse) -> None:
    anchor = world.say(world.support, world.ada)
    ada, path = browse(world.ada), f"/messages/{anchor.pk}/sidebar/"
    offered = ada.get(path).text
    assert "Sue" in offered
    assert not re.search(r'name="invite"[^>]*>\s*<span>Carl', offered)
    for user in (world.carl, world.otto):
        answer = ada.post(path, {"access": "private", "invite": [user.pk]})
        assert answer.status_code == 400
    assert not Sidebar.objects.exists()


def test_in_a_large_room_others_are_named_by_handle(
    world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = world.say(world.team, world.ben)
    ben, path = browse(world.ben), f"/messages/{anchor.pk}/sidebar/"
    assert 'name="others"' not in ben.get(path).text
    monkeypatch.setattr(forms, "NAMED", 1)
    assert 'name="others"' in ben.get(path).text
    answer = ben.post(path, {"access": "private", "others": "@vic, otto"})
    assert answer.status_code == 400
    assert "Nobody here is called otto." in answer.text
    ben.post(path, {"access": "private", "others": "@vic"})
    assert Sidebar.objects.get().room.participants.filter(user=world.vic).exists()


def test_its_page_is_there_for_those_it_is_for(world: World, browse: Browse) -> None:
    team, support = world.say(world.team, world.ben), world.say(world.support, world.ada)
    whose = {
        beside(team, world.ben): "ben cleo vic gus",
        beside(team, world.ben, access="private", invite=[world.vic]): "ben vic",
        beside(support, world.ada): "ada sue",
        beside(support, world.ada, access="private"): "ada",
    }
    for sidebar, people in whose.items():
        assert statuses(world, browse, f"/rooms/{sidebar.pk}/") == wanted(404, s200=people)


def test_its_page_says_where_it_is_and_leads_back(world: World, browse: Browse) -> None:
    anchor = world.say(world.team, world.ben, "What does it *cost*?")
    sidebar = beside(anchor, world.ben, title="Prices")
    page = page_of(browse(world.cleo), sidebar.room)
    assert "What does it cost?" in page
    assert f'href="/rooms/{world.team.pk}/?around={anchor.pk}#message-{anchor.pk}"' in page
    anchor.remove(by=world.ben)
    page = page_of(browse(world.cleo), sidebar.room)
    assert "What does it cost?" not in page
    assert "This message was deleted." in page


def test_what_it_is_about_is_not_quoted_to_who_may_not_read_it(
    world: World, browse: Browse
) -> None:
    world.team.update(by=world.ben, history="joined")
    anchor = world.say(world.team, world.ben, "the old secret")
    sidebar = beside(anchor, world.ben)
    world.team.invite(world.otto, by=world.ben)
    page = page_of(browse(world.otto), sidebar.room)
    assert "the old secret" not in page
    assert "not among those you may read" in page


def test_its_settings_are_those_that_a_side_bar_has(world: World, browse: Browse) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.cleo, access="private")
    cleo, path = browse(world.cleo), f"/rooms/{sidebar.pk}/settings/"
    page = cleo.get(path).text
    assert 'name="visibility"' not in page
    assert 'name="history"' not in page
    assert 'name="description"' not in page
    assert 'value="close"' not in page
    assert "Robots" in page
    given = {"do": "update", "name": "Costs", "visibility": "open", "history": "joined"}
    assert cleo.post(path, given)["Location"] == f"/rooms/{sidebar.pk}/"
    room = again(sidebar.room)
    assert (room.name, room.visibility, room.history) == ("Costs", "private", "all")
    assert cleo.post(path, {"do": "leave"})["Location"] == f"/rooms/{world.team.pk}/"


def test_its_people_have_no_roles_and_no_links_of_their_own(world: World, browse: Browse) -> None:
    sidebar = beside(
        world.say(world.team, world.ben), world.ben, access="private", invite=[world.cleo]
    )
    ben, path = browse(world.ben), f"/rooms/{sidebar.pk}/people/"
    page = ben.get(path).text
    assert 'value="role"' not in page
    assert "Invite links" not in page
    assert 'value="vic"' in page  # may be brought in, and who is not around may not
    assert 'value="otto"' not in page
    assert "Vic is in." in ben.post(path, {"do": "invite", "user": "vic"}, follow=True).text
    told = ben.post(path, {"do": "invite", "user": "otto"}, follow=True).text
    assert "Otto is not in the room around this side-bar." in told
    ben.post(path, {"do": "remove", "user": "cleo"})
    assert not sidebar.room.participants.filter(user=world.cleo).exists()
    open_one = beside(world.say(world.team, world.ben), world.ben)
    assert 'value="invite"' not in ben.get(f"/rooms/{open_one.pk}/people/").text


def share(client: Client, sidebar: Sidebar, *messages: Message, **given: object):
    fields = {
        "client_id": str(uuid4()),
        "message": [message.pk for message in messages],
        "body": "",
        "audience": "everyone",
        **given,
    }
    return client.post(f"/sidebars/{sidebar.pk}/share/", fields)


def newest(room: Room) -> Message:
    found = Message.objects.filter(room=room, kind="text").order_by("pk").last()
    assert found is not None
    return found


def test_messages_are_chosen_seen_changed_and_shared_back(world: World, browse: Browse) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    one = world.say(sidebar.room, world.cleo, "ten *euros*")
    two = world.say(sidebar.room, world.ben, "or twelve")
    ben, path = browse(world.ben), f"/sidebars/{sidebar.pk}/share/"
    assert "ten euros" in ben.get(path).text
    copy = ben.get(path, {"message": [one.pk, two.pk]}).text
    assert "**Cleo**\n&gt; ten *euros*\n\n**Ben**\n&gt; or twelve" in copy
    again_chosen = ben.get(path, {"choose": "1", "message": [two.pk]}).text
    assert re.findall(r'name="message" value="(\d+)" checked', again_chosen) == [str(two.pk)]
    assert share(ben, sidebar, one, two, body="Ten or twelve.").status_code == 302
    said = newest(world.team)
    assert (said.body, said.author, said.shared_from) == ("Ten or twelve.", world.ben, one)
    share(ben, sidebar, two, body="or twelve")
    assert (newest(world.team).body, newest(world.team).shared_from) == ("or twelve", two)


def test_another_copy_sent_from_the_same_form_is_shared_at_the_second_try(
    world: World, browse: Browse
) -> None:
    """As it is after going back."""
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    message, ben = world.say(sidebar.room, world.cleo, "ten"), browse(world.ben)
    given = {"client_id": str(uuid4())}
    share(ben, sidebar, message, **given, body="one")
    answer = share(ben, sidebar, message, **given, body="two")
    assert answer.status_code == 400
    assert "Send this to say it as well." in answer.text
    given["client_id"] = re.search(r'name="client_id" value="([^"]+)"', answer.text).group(1)
    assert share(ben, sidebar, message, **given, body="two").status_code == 302
    said = Message.objects.filter(room=world.team, shared_from=message).order_by("pk")
    assert [copy.body for copy in said] == ["one", "two"]


def test_rooms_without_a_name_are_called_as_everywhere_else(world: World, browse: Browse) -> None:
    ben = browse(world.ben)
    sidebar = beside(world.say(world.direct, world.ben), world.ben)
    message = world.say(sidebar.room, world.ben, "ten")
    assert "A message in Side-bar</h1>" in ben.get(f"/messages/{message.pk}/").text
    assert f">{NAMELESS}</option>" in ben.get(f"/messages/{message.pk}/share/").text
    back = ben.get(f"/sidebars/{sidebar.pk}/share/", {"message": message.pk}).text
    assert "Share with Cleo</h1>" in back
    aloud = sidebar.anchor_id
    assert "A message in Cleo</h1>" in ben.get(f"/messages/{aloud}/").text


def test_another_conclusion_sent_from_the_same_form_comes_too_late_or_is_offered_anew(
    world: World, browse: Browse
) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    ben, path = browse(world.ben), f"/sidebars/{sidebar.pk}/conclude/"
    given = {"client_id": str(uuid4()), "audience": "everyone"}
    ben.post(path, {**given, "body": "Ten."})
    late = ben.post(path, {**given, "body": "Twelve."})
    assert Sidebar.Concluded.message in late.text
    assert "Send this" not in late.text
    ben.post(f"/rooms/{sidebar.pk}/settings/", {"do": "reopen"})
    answer = ben.post(path, {**given, "body": "Twelve."})
    assert "Send this to say it as well." in answer.text
    given["client_id"] = re.search(r'name="client_id" value="([^"]+)"', answer.text).group(1)
    assert ben.post(path, {**given, "body": "Twelve."}).status_code == 302
    assert newest(world.team).body == "Twelve."


@pytest.mark.parametrize("gone", ["all", "one"])
def test_what_was_deleted_meanwhile_is_not_shared_from_the_form(
    world: World, browse: Browse, gone: str
) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    said = [world.say(sidebar.room, world.ben, words) for words in ("ten", "twelve")]
    ben, before = browse(world.ben), newest(world.team)
    copy = "**Ben**\n> ten\n\n**Ben**\n> twelve"
    for message in said if gone == "all" else said[:1]:
        message.remove(by=world.ben)
    for _ in range(2):
        answer = share(ben, sidebar, *said, body=copy)
        assert answer.status_code == 400
        assert Message.Deleted().message in answer.text
        assert newest(world.team) == before
    assert "twelve" not in ben.get(f"/sidebars/{sidebar.pk}/share/").text or gone == "one"


def test_what_was_whispered_is_not_offered_to_others(world: World, browse: Browse) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    whisper = world.whisper(sidebar.room, world.ben, world.cleo, body="psst")
    gus = browse(world.gus)
    assert "psst" not in gus.get(f"/sidebars/{sidebar.pk}/share/").text
    chosen = gus.get(f"/sidebars/{sidebar.pk}/share/", {"message": whisper.pk}).text
    assert "psst" not in chosen
    assert "psst" in browse(world.cleo).get(f"/sidebars/{sidebar.pk}/share/").text


@pytest.mark.parametrize("deed", ["share", "conclude"])
def test_who_may_not_lead_gets_no_form(deed: str, world: World, browse: Browse) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    answers = wanted(404, s200="ben cleo gus", s403="vic")
    assert statuses(world, browse, f"/sidebars/{sidebar.pk}/{deed}/") == answers
    assert "data-may-share-back" not in page_of(browse(world.vic), sidebar.room)
    assert f"/sidebars/{sidebar.pk}/{deed}/" not in page_of(browse(world.vic), sidebar.room)


def test_customers_see_what_is_shared_with_them_only_where_that_is_chosen(
    world: World, browse: Browse
) -> None:
    sidebar = beside(world.say(world.support, world.carl), world.ada)
    said = world.say(sidebar.room, world.sue, "refund it")
    form = browse(world.ada).get(f"/sidebars/{sidebar.pk}/share/", {"message": said.pk}).text
    assert re.search(r'value="staff"[^>]*checked', form)
    assert not re.search(r'value="everyone"[^>]*checked', form)
    conclude = browse(world.ada).get(f"/sidebars/{sidebar.pk}/conclude/").text
    assert re.search(r'value="staff"[^>]*checked', conclude)


def test_it_is_concluded_read_and_taken_up_again(world: World, browse: Browse) -> None:
    anchor = world.say(world.team, world.ben)
    sidebar = beside(anchor, world.ben)
    cleo, path = browse(world.cleo), f"/sidebars/{sidebar.pk}/conclude/"
    given = {"client_id": str(uuid4()), "body": "Twelve.", "audience": "everyone"}
    assert cleo.post(path, given)["Location"] == f"/rooms/{sidebar.pk}/"
    assert cleo.post(path, given).status_code == 302  # sent twice, it is said once
    said = newest(world.team)
    assert (said.body, said.reply_to) == ("Twelve.", anchor)
    assert Message.objects.filter(room=world.team, body="Twelve.").count() == 1
    page = page_of(cleo, sidebar.room)
    assert "Cleo concluded this side-bar" in page
    assert f"?around={said.pk}#message-{said.pk}" in page
    assert 'class="composer"' not in page
    assert "Reopen</button>" not in page
    assert cleo.get(path).status_code == 409
    ben = browse(world.ben)
    assert "Reopen</button>" in page_of(ben, sidebar.room)
    ben.post(f"/rooms/{sidebar.pk}/settings/", {"do": "reopen"})
    page = page_of(ben, sidebar.room)
    assert "concluded" not in page
    assert 'class="composer"' in page


def test_a_robot_drafts_the_conclusion(world: World, browse: Browse) -> None:
    robot = Robot.objects.add("muse", "Muse", by=world.root, model="openai/muse")
    RobotSeat.objects.seat(robot, world.team, by=world.system)
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    cleo, path = browse(world.cleo), f"/sidebars/{sidebar.pk}/"
    assert '<option value="muse">' in cleo.get(f"{path}conclude/").text
    assert cleo.post(f"{path}draft/", {"robot": "muse"})["Location"] == f"/rooms/{sidebar.pk}/"
    reply = Reply.objects.with_all().get(robot=robot, room=sidebar.room)
    assert reply.question.author == world.cleo
    assert "Draft the conclusion" in reply.question.body
    assert "Begin with an answer" not in cleo.get(f"{path}conclude/").text
    Reply.objects.take(reply.pk, worker="w").finish(Outcome(text="Twelve **it is**."))
    page = cleo.get(f"{path}conclude/").text
    assert f'href="{path}conclude/?message={reply.message_id}"' in page
    assert "Twelve it is." in page
    page = cleo.get(f"{path}conclude/", {"message": reply.message_id}).text
    assert re.search(r"<textarea[^>]*>\s*Twelve \*\*it is\*\*\.</textarea>", page)


def test_only_a_robot_of_the_room_is_asked_for_a_draft(world: World, browse: Browse) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    Robot.objects.add("muse", "Muse", by=world.root, model="openai/muse")
    before = Message.objects.count()
    for robot in ("muse", "cleo", "", "nobody"):
        answer = browse(world.ben).post(f"/sidebars/{sidebar.pk}/draft/", {"robot": robot})
        assert answer.status_code == 404
    for person, status in ((world.vic, 403), (world.otto, 404)):
        answer = browse(person).post(f"/sidebars/{sidebar.pk}/draft/", {"robot": "parrot"})
        assert answer.status_code == status
    assert Message.objects.count() == before


def test_it_is_concluded_without_a_word(world: World, browse: Browse) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    before = Message.objects.filter(room=world.team).count()
    given = {"client_id": str(uuid4()), "body": "", "audience": "everyone"}
    browse(world.ben).post(f"/sidebars/{sidebar.pk}/conclude/", given)
    assert again(sidebar).concluded_at
    assert Message.objects.filter(room=world.team).count() == before
    assert "What came of it" not in page_of(browse(world.ben), sidebar.room)


def test_with_its_room_it_is_closed_and_says_so(world: World, browse: Browse) -> None:
    sidebar = beside(world.say(world.team, world.ben), world.ben)
    world.team.close(by=world.ben)
    page = page_of(browse(world.ben), sidebar.room)
    assert "The room around this side-bar is closed" in page
    assert "/conclude/" not in page
    assert browse(world.ben).get(f"/sidebars/{sidebar.pk}/conclude/").status_code == 409


def test_stubs_stand_below_their_message_for_those_who_may_know(
    world: World, browse: Browse
) -> None:
    anchor, other = world.say(world.team, world.ben), world.say(world.team, world.ben)
    first, hidden = beside(anchor, world.ben), beside(anchor, world.ben, access="private")
    world.say(first.room, world.ben, "one")
    page = page_of(browse(world.cleo), world.team)
    assert stubs_on(page) == [first.pk]
    entry = page[page.index(f'data-entry="{anchor.pk}"') : page.index(f'data-entry="{other.pk}"')]
    assert stubs_on(entry) == [first.pk]
    assert "1 reply" in entry
    assert stubs_on(page_of(browse(world.ben), world.team)) == [first.pk, hidden.pk]
    assert stubs_on(page_of(browse(world.ben), first.room)) == []
    served = beside(world.say(world.support, world.carl), world.ada)
    assert stubs_on(page_of(browse(world.sue), world.support)) == [served.pk]
    carl = page_of(browse(world.carl), world.support)
    assert stubs_on(carl) == []
    assert "data-sidebars" not in carl


def test_stubs_are_there_on_earlier_pages_too(world: World, browse: Browse) -> None:
    anchor = world.say(world.team, world.ben, "early")
    sidebar = beside(anchor, world.ben)
    for number in range(60):
        world.say(world.team, world.ben, f"later {number}")
    world.team.messages.latest("pk").mark_read(by=world.cleo)
    cleo = browse(world.cleo)
    assert stubs_on(page_of(cleo, world.team)) == []
    assert stubs_on(cleo.get(f"/rooms/{world.team.pk}/?around={anchor.pk}").text) == [sidebar.pk]


def test_a_message_is_the_same_element_with_a_side_bar(world: World, browse: Browse) -> None:
    anchor = world.say(world.team, world.ben)

    def element() -> str:
        page = page_of(browse(world.cleo), world.team)
        (found,) = re.findall(rf'<article[^>]*data-id="{anchor.pk}".*?</article>', page, re.DOTALL)
        return found

    before = element()
    beside(anchor, world.ben)
    assert element() == before


def test_what_is_unread_is_told_on_the_stub_and_in_the_list(world: World, browse: Browse) -> None:
    anchor = world.say(world.team, world.ben)
    sidebar = beside(anchor, world.ben, invite=[world.cleo])
    cleo = browse(world.cleo)
    assert rows_on(page_of(cleo, world.team)) == {}
    said = world.say(sidebar.room, world.ben, "one")
    page = page_of(cleo, world.team)
    stub = page[page.index('class="stub"') : page.index("stub-last")]
    assert unread_in(stub) == {"unread": "1"}
    assert unread_in(rows_on(page)[sidebar.pk]) == {"unread": "1"}
    world.say(sidebar.room, world.ben, "@cleo two")
    assert unread_in(rows_on(page_of(cleo, world.public))[sidebar.pk]) == {"mentions": "1"}
    assert f'href="/rooms/{sidebar.pk}/"' in cleo.get("/").text
    assert rows_on(page_of(browse(world.gus), world.team)) == {}
    again(said).mark_unread(by=world.cleo)
    newest(sidebar.room).mark_read(by=world.cleo)
    assert rows_on(page_of(cleo, world.team)) == {}
    assert list(rows_on(page_of(cleo, sidebar.room))) == [sidebar.pk]  # where one is at


def test_the_list_holds_at_most_five_of_a_room_and_no_muted_one(
    world: World, browse: Browse
) -> None:
    anchor = world.say(world.team, world.ben)
    sidebars = [beside(anchor, world.ben, invite=[world.cleo]) for _ in range(7)]
    for sidebar in sidebars:
        world.say(sidebar.room, world.ben)
    world.seat(sidebars[-1].room, world.cleo).set_preferences(muted=True)
    rows = rows_on(page_of(browse(world.cleo), world.team))
    assert list(rows) == [sidebar.pk for sidebar in reversed(sidebars[1:6])]


def test_more_side_bars_take_no_more_queries(world: World, browse: Browse) -> None:
    cleo = browse(world.cleo)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as taken:
            assert cleo.get(f"/rooms/{world.team.pk}/").status_code == 200
        return len(taken)

    def open_one() -> None:
        sidebar = beside(world.say(world.team, world.ben), world.ben, invite=[world.cleo])
        world.say(sidebar.room, world.ben)

    open_one()
    cleo.get(f"/rooms/{world.team.pk}/")
    one = queries()
    for _ in range(4):
        open_one()
    assert queries() == one
