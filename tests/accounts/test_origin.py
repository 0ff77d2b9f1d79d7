"""Where a request comes from: never where it says it does, unless a proxy of ours says so."""

import pytest
from django.test import RequestFactory

from accounts import origin


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "", "10.0.0.1"),
        (0, "203.0.113.5", "10.0.0.1"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "nonsense", "10.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_forwarded_addresses_count_only_from_trusted_proxies(
    settings: object, proxies: int, forwarded: str, found: str
) -> None:
    settings.CHAT_TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert origin.client_address(request) == found


def test_a_unix_socket_has_no_address() -> None:
    assert origin.client_address(RequestFactory().get("/", REMOTE_ADDR="")) is None


def test_the_origin_is_that_of_the_work_under_way_and_then_none() -> None:
    with origin.coming_from("192.0.2.1", "x" * 1000):
        with origin.coming_from("192.0.2.2"):
            assert origin.current().address == "192.0.2.2"
        assert origin.current().address == "192.0.2.1"
        assert len(origin.current().user_agent) == 200
    assert origin.current() == origin.NOWHERE
