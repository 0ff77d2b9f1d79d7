"""What is within ends when the future does, and nothing else is cancelled by it."""

from __future__ import annotations

import asyncio

import pytest

from live.until import Until


def pending() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_it_goes_on_once_the_future_is_done() -> None:
    done = pending()
    asyncio.get_running_loop().call_soon(done.set_result, None)
    async with Until(done):
        await pending()
        pytest.fail("what is within went on")
    await asyncio.sleep(0)  # nothing is cancelled any more


async def test_what_is_done_already_ends_it_at_once() -> None:
    done = pending()
    done.set_result(None)
    async with Until(done):
        await pending()


async def test_who_is_cancelled_by_others_stays_so() -> None:
    done = pending()

    async def work() -> None:
        async with Until(done):
            await pending()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    done.set_result(None)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_ends_as_it_has_been_left_cancels_nobody() -> None:
    done = pending()
    async with Until(done):
        done.set_result(None)  # who is to be told of it is told later
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_what_is_raised_within_is_raised() -> None:
    done = pending()
    with pytest.raises(KeyError):
        async with Until(done):
            raise KeyError
    done.set_result(None)
    await asyncio.sleep(0)
