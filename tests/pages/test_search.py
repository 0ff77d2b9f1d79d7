"""The page that searches: results by room, marks, filters as links, the way to the message."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from django.test import Client

from accounts.models import User
from messages.models import Message
from messages.posting import Draft
from tests.world import World

Browse = Callable[[User], Client]


def links(page: str) -> dict[str, str]:
    """The filters that are offered, by what they say."""
    chips = re.findall(r'<a class="chip[^"]*" href="([^"]*)"><span class="truncate">([^<]*)', page)
    return {unescape(label): unescape(url) for url, label in chips}


def test_every_page_has_a_field_that_leads_there(world: World, browse: Browse) -> None:
    for path in ("/", f"/rooms/{world.team.pk}/", "/rooms/browse/", "/profile/"):
        page = browse(world.ben).get(path).text
        assert '<form class="sidebar-search" action="/search/"' in page, path
    assert 'href="/search/"' in browse(world.ben).get("/outbox/").text
    assert "How to ask" in browse(world.ben).get("/search/").text
    assert browse(world.ben).get(f"/rooms/{world.team.pk}/").text.count("/search/?q=in:") == 1


def test_what_was_found_is_marked_and_never_markup(world: World, browse: Browse) -> None:
    world.say(world.team, world.ben, "<b>bold</b> & needle<img src=x>")
    page = browse(world.cleo).get("/search/?q=needle").text
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; <mark>needle</mark>&lt;img src=x&gt;" in page
    assert "<img src=x" not in page


def test_a_result_leads_to_the_message_far_up_in_its_room(world: World, browse: Browse) -> None:
    told = world.say(world.team, world.ben, "a needle")
    for _ in range(3):
        Message.objects.post_all(
            [Draft(room=world.team.pk, author=world.ben, body="hay") for _ in range(50)]
        )
    cleo = browse(world.cleo)
    (url,) = re.findall(r'class="found-link" href="([^"]*)"', cleo.get("/search/?q=needle").text)
    assert url == f"/rooms/{world.team.pk}/?around={told.pk}#message-{told.pk}"
    assert f'id="message-{told.pk}"' in cleo.get(url).text
    assert f'id="message-{told.pk}"' not in cleo.get(f"/rooms/{world.team.pk}/?before=0").text


def test_filters_are_links_that_narrow_and_widen(world: World, browse: Browse) -> None:
    world.say(world.team, world.ben, "a needle")
    world.say(world.public, world.cleo, "one more needle")
    ben = browse(world.ben)
    page = ben.get("/search/?q=needle").text
    assert page.count('class="found-message"') == 2
    offered = links(page)
    assert {"With a file", "In Team", "In Public", "From Ben", "From Cleo"} <= set(offered)
    narrow = ben.get(f"/search/{offered['From Cleo']}").text
    assert narrow.count('class="found-message"') == 1
    assert "From Ben" not in links(narrow)
    wide = ben.get(f"/search/{links(narrow)['from:cleo']}").text
    assert wide.count('class="found-message"') == 2
    assert "Nothing found." in ben.get(f"/search/{offered['With a file']}").text


def test_a_room_meant_by_its_number_is_called_by_its_name(world: World, browse: Browse) -> None:
    world.say(world.team, world.ben, "a needle")
    page = browse(world.ben).get(f"/search/?q=in:{world.team.pk}").text
    assert page.count('class="found-message"') == 1
    assert links(page)["in:Team"] == "?q="


def test_pages_follow_each_other(world: World, browse: Browse) -> None:
    for n in range(25):
        world.say(world.team, world.ben, f"needle {n}")
    ben = browse(world.ben)
    first = ben.get("/search/?q=needle").text
    assert first.count('class="found-message"') == 20
    (more,) = re.findall(r'rel="next" href="([^"]*)"', first)
    second = ben.get(f"/search/{unescape(more)}").text
    assert second.count('class="found-message"') == 5
    assert 'rel="next"' not in second


def test_what_is_wrong_is_said_above_what_was_typed(world: World, browse: Browse) -> None:
    answer = browse(world.ben).get('/search/?q=form:ada+"<script>"')
    assert answer.status_code == 400
    assert "There is no “form:”" in answer.text
    assert "&quot;&lt;script&gt;&quot;" in answer.text


def test_guests_and_customers_search_what_they_see(world: World, browse: Browse) -> None:
    world.say(world.support, world.carl, "a needle")
    world.note(world.ada, "the needle is ours")
    world.say(world.team, world.ben, "our needle")
    for person, count in ((world.carl, 1), (world.gus, 1), (world.sue, 2), (world.otto, 0)):
        page = browse(person).get("/search/?q=needle").text
        assert page.count('class="found-message"') == count
    assert "Note to staff" in browse(world.sue).get("/search/?q=needle").text


def test_searching_too_fast_is_refused(world: World, browse: Browse, settings: Any) -> None:
    settings.CHAT_THROTTLES, settings.CHAT_SEARCH_RATE, settings.CHAT_SEARCH_BURST = True, 0.001, 1
    ben = browse(world.ben)
    assert ben.get("/search/?q=needle").status_code == 200
    assert ben.get("/search/?q=needle").status_code == 429
    assert ben.get("/search/").status_code == 200
