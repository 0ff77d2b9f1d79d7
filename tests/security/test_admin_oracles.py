"""An admin who reads what was said leaves an entry; no way to ask for words leaves none."""

import pytest
from django.test import Client

from accounts.models import AuditEntry
from tests.world import World

LOOKUP = "/admin/autocomplete/"
EARLIER = {"app_label": "chat_messages", "model_name": "earliertext", "field_name": "message"}


@pytest.fixture
def admin(world: World) -> Client:
    client = Client()
    client.force_login(world.root, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_lookup_of_other_pages_does_not_search_for_words(world: World, admin: Client) -> None:
    secret = world.say(world.direct, world.ben, "noodles at one")
    asked = {**EARLIER, "term": "noodles", "room__id__exact": world.team.pk}
    assert admin.get(LOOKUP, asked).json()["results"] == []
    by_author = admin.get(LOOKUP, {**EARLIER, "term": "ben"}).json()["results"]
    assert {"id": str(secret.pk), "text": f"message {secret.pk}"} in by_author


def test_the_list_of_a_room_searches_its_words_and_writes_that_down(
    world: World, admin: Client
) -> None:
    here, there = world.say(world.team, world.ben, "noodles"), world.say(world.direct, world.ben)
    asked = {"q": "noodles", "room__id__exact": world.team.pk}
    page = admin.get("/admin/chat_messages/message/", asked).content.decode()
    assert f"/message/{here.pk}/change/" in page
    assert f"/message/{there.pk}/change/" not in page
    assert AuditEntry.objects.filter(action="admin.viewed", target_id=world.team.pk).count() == 1
