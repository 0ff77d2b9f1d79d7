"""The API of proposing robots, and of what they are told of a long conversation."""

from __future__ import annotations

from typing import Any

import pytest

from robots.models import Robot, RobotSeat, Summary
from tests.callers import Caller, answered
from tests.rooms.test_api_rooms import everybody, expected
from tests.world import World


@pytest.fixture
def sailor(world: World) -> Robot:
    return Robot.objects.add(
        "sailor", "Sailor", by=world.root, model="builtin/parrot", persona="You know of ships."
    )


class TestProposing:
    def test_who_asks_the_whole_site(self, world: World, sailor: Robot) -> None:
        answers = everybody(world, lambda caller: caller.post("robots/route/", question="Ships?"))
        assert answers == expected(yes="root sue ada amy", otherwise="forbidden")

    def test_who_asks_a_room(self, world: World, sailor: Robot) -> None:
        def ask(caller: Caller) -> Any:
            return caller.post("robots/route/", question="Ships?", room=world.support.pk)

        wanted = expected(yes="sue ada", forbidden="carl dora", otherwise="not_found")
        assert everybody(world, ask) == wanted

    def test_a_robot_is_proposed_with_a_reason(self, world: World, sailor: Robot) -> None:
        ada = Caller(world.ada)
        (proposal,) = ada.post("robots/route/", question="Who knows about ships?").json()
        assert (proposal["robot"], proposal["handle"]) == (sailor.pk, "sailor")
        assert "ships" in proposal["reason"]
        assert 0 < proposal["score"] <= 1
        assert ada.post("robots/route/", question="Who knows about bread?").json() == []
        there = {"question": "ships?", "room": world.support.pk}
        assert ada.post("robots/route/", **there).json() == []
        RobotSeat.objects.seat(sailor, world.support, by=world.ada)
        assert len(ada.post("robots/route/", **there).json()) == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"question": ""},
            {"question": 5},
            {"question": "a" * 16_001},
            {"question": "a", "room": "1"},
        ],
    )
    def test_what_does_not_fit(self, world: World, wrong: dict[str, Any]) -> None:
        assert answered(Caller(world.ada).post("robots/route/", **wrong)) == (400, "invalid")


class TestSummaries:
    @pytest.fixture
    def summaries(self, world: World) -> None:
        for audience, to, body in (
            ("everyone", [], "All of it."),
            ("only", [world.ben.pk], "What Ben was told."),
            ("only", [world.cleo.pk], "What Cleo was told."),
        ):
            Summary.objects.create(
                room=world.team,
                audience=audience,
                to=to,
                key=f"{audience}:{to}",
                after=0,
                upto=world.team.newest,
                whole=True,
                revision=world.team.revision,
                body=body,
            )

    def test_who_reads_them(self, world: World, summaries: None) -> None:
        path = f"rooms/{world.team.pk}/summary/"
        wanted = expected(yes="ben", forbidden="cleo vic gus", otherwise="not_found")
        assert everybody(world, lambda caller: caller.get(path)) == wanted

    def test_nobody_reads_what_rests_on_what_they_cannot_see(
        self, world: World, summaries: None
    ) -> None:
        ben, path = Caller(world.ben), f"rooms/{world.team.pk}/summary/"
        told = [one["body"] for one in ben.get(path).json()["results"]]
        assert sorted(told) == ["All of it.", "What Ben was told."]
        (one,) = ben.get(path, audience="only").json()["results"]
        assert (one["body"], one["to"], one["robot"]) == (
            "What Ben was told.",
            [world.ben.pk],
            None,
        )
        assert ben.get(path, audience="staff").json() == {"results": [], "next": None}
        assert answered(ben.get(path, audience="all")) == (400, "invalid")
