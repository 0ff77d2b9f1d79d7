"""Who searches finds what they may see, and nothing else: while everything changes around them.

The life of `tests.test_visibility` again, and after every step of it everybody searches.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from accounts.models import User
from messages.search import search
from tests.model import Said
from tests.test_visibility import CAST, EXAMPLES, Conversation
from tests.world import World


class Searching(Conversation):
    """All of them look for the words that all that people say is made of."""

    turn = 0

    @invariant()
    def who_searches_finds_what_they_may_see(self) -> None:
        if not self.rooms:
            return
        self.turn += 1
        for name in (CAST[self.turn % len(CAST)], "otto"):
            person = self.people[name]
            assert self.finds(person, '"word"') == self.may_find(person, "word"), name
            assert self.finds(person, "edited") == self.may_find(person, "edited"), name
            assert self.finds(person, "has:file") == {
                said.id for said in self.said_to(person) if said.files
            }
            author = self.people[CAST[self.turn // 3 % len(CAST)]]
            assert self.finds(person, f"from:{author.handle}") == {
                said.id for said in self.said_to(person) if said.author == author.pk
            }
        assert not self.finds(self.people["otto"], '"word"')

    def finds(self, person: User, text: str) -> set[int]:
        """All pages of it."""
        found: set[int] = set()
        page = search(text, by=person, limit=7)
        while True:
            found.update(hit.message.pk for hit in page.hits)
            if page.next is None:
                return found
            page = search(text, by=person, limit=7, before=page.next)

    def said_to(self, person: User) -> list[Said]:
        """What people said that this one may see."""
        visible = [m for room in self.rooms.values() for m in self.oracle.visible(person.pk, room)]
        said = [self.oracle.said(message) for message in visible]
        return [one for one in said if one.kind != "system" and not one.deleted]

    def may_find(self, person: User, word: str) -> set[int]:
        return {said.id for said in self.said_to(person) if word in said.body.split()}


@pytest.mark.django_db
def test_who_searches_finds_what_they_may_see_and_nothing_else(world: World) -> None:
    machine = type("Life", (Searching,), {"world": world})
    profile = settings(
        max_examples=EXAMPLES or 6,
        derandomize=not EXAMPLES,
        stateful_step_count=40,
        phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(machine, settings=profile)
