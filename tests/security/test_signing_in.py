"""What a try at a password tells."""

from unittest import mock

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from tests.callers import Caller
from tests.world import World


@pytest.mark.parametrize("name", ["cleo", "dee", "parrot", "system", "nobody"])
def test_every_name_costs_the_same_work(world: World, name: str) -> None:
    """Or the time it takes would tell who is deactivated, a robot, or there at all."""
    handle = name if name == "nobody" else getattr(world, name).handle
    with mock.patch.object(
        MD5PasswordHasher, "encode", autospec=True, return_value="x$x$x"
    ) as work:
        answer = Caller(None).post("auth/token/", username=handle, password="wrong")
    assert answer.status_code == 401
    assert work.call_count == 1
