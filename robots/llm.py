"""Ask a language model, and hear its answer piece by piece. The only module that knows litellm.

litellm takes seconds and 200 MB to import: it is, in a thread, when the first reply runs.
What it says of an answer is held against what was seen on the wire (`robots/upstream.py`).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import re
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypedDict

from django.conf import settings

from accounts.errors import Invalid
from robots import builtin, keys, tokens, upstream

logger = logging.getLogger(__name__)

PIECES_MAX = 16
"""Pieces that wait for whoever listens; beyond them the provider is not read."""

TIDYING = 1.0
"""Seconds litellm may take to notice that nobody listens any more."""

REFUSALS = {"content_filter", "content_policy_violation"}


class ChatMessage(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


class Passage(NamedTuple):
    """Something found, to answer from."""

    source: str
    """Who said it, or the title of the article."""
    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked of which model."""

    model: str
    """Any id litellm knows, or `builtin/…`."""
    messages: Sequence[ChatMessage]
    temperature: float | None = None
    max_tokens: int | None = None
    api_base: str = ""
    key_env: str = ""
    """The name of the environment variable that holds the key."""
    fallbacks: tuple[str, ...] = ()
    """Models tried next. Those of the same provider use `api_base` and `key_env` too, others
    what is usual for theirs."""
    shortened: bool = False
    """It was too long for the model before: where it still is, the fallbacks are asked."""
    said: str = ""
    """For builtins: what there is of the answer, where it is to be continued. Others find it among
    the messages, as far as there is room for it."""
    search: Callable[[str], Sequence[Passage]] | None = None
    """For the librarian: finds what the readers of the answer may see. Runs in a thread."""


class Usage(NamedTuple):
    """What an answer took, of all tries together."""

    tokens_in: int
    tokens_out: int
    cost: Decimal | None
    """In US dollars, as far as prices are known: what budgets count. None where none is."""
    model: str
    """Which answered, or was asked last."""
    unpriced: bool = False
    """The price of some of it is unknown: it cost more than is known."""


def total(usages: Sequence[Usage]) -> Usage:
    """What all of them took together."""
    known = sum((usage.cost for usage in usages if usage.cost is not None), Decimal(0))
    unpriced = any(usage.unpriced for usage in usages)
    return Usage(
        sum(usage.tokens_in for usage in usages),
        sum(usage.tokens_out for usage in usages),
        known if known or not unpriced else None,
        usages[-1].model,
        unpriced,
    )


class Trouble(NamedTuple):
    """A try that failed, and how many seconds were waited before the next."""

    model: str
    code: str
    waited: float


class Kind(NamedTuple):
    message: str
    retryable: bool
    """Whether the same call may well work later."""


KINDS = {
    "rate_limited": Kind("The model is busy. Try again in a little while.", True),
    "provider_down": Kind("The model's provider does not answer. Try again later.", True),
    "timeout": Kind("The model took too long. Try again.", True),
    "bad_key": Kind(
        "The provider does not accept this robot's key. Ask an admin to set it.", False
    ),
    "unknown_model": Kind(
        "There is no such model. Ask who set this robot up to choose one.", False
    ),
    "context_overflow": Kind("This is more than the model can read at once. Ask with less.", False),
    "refused": Kind("The model's provider declines to answer this. Ask differently.", False),
    "bad_request": Kind(
        "The provider does not accept this robot's settings. Ask who set it up to check them.",
        False,
    ),
    "bad_answer": Kind("The provider sent something that is not an answer. Try again later.", True),
    "empty_answer": Kind("The model answered with nothing. Try again.", True),
    "cut_off": Kind("The answer broke off. Continue or try again.", True),
    "too_long": Kind("The answer reached its greatest length. Continue to hear the rest.", False),
}


class Failed(Exception):
    """There is no answer, or not the whole of it. Its message is for the people in the room."""

    def __init__(self, code: str, *, retry_after: float | None = None) -> None:
        self.code = code
        self.message, self.retryable = KINDS[code]
        self.retry_after = retry_after
        super().__init__(self.message)


async def complete(call: Call) -> tuple[str, Usage]:
    """The whole answer. Raises Failed."""
    answer = Answer(call)
    async with aclosing(answer.pieces()) as pieces:
        text = "".join([piece async for piece in pieces])
    return text, answer.usage


def most(call: Call) -> tuple[int, Decimal | None]:
    """Tokens, and US dollars where a price is known, that an answer may take of the dearest model.

    What is tried again on the way is not foreseen. For a thread: it counts, and loads litellm.
    """
    models = (call.model, *call.fallbacks)
    if not all(model.startswith("builtin/") for model in models):
        _import()
    sent, received = tokens.count_messages(call.messages), call.max_tokens or 0
    prices = [_price(model, sent, received) for model in models]
    known = [price for price in prices if price is not None]
    return sent + received, max(known, default=None)


async def hang_up() -> None:
    """Close what the running loop holds open to providers. It may ask again afterwards."""
    for transport in _transports.values():
        await transport.hang_up()


class Answer:
    """One answer, heard once.

    Before the first piece what fails is tried again, and then the fallbacks; after it, it is told.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.troubles: list[Trouble] = []
        self._tries: list[_Try] = []
        self._deadline = float("inf")

    @property
    def model(self) -> str:
        """Which answered, or was asked last."""
        return self._tries[-1].model if self._tries else self.call.model

    @property
    def usage(self) -> Usage:
        """As far as it is known by now; estimated where the provider does not tell, from all that
        was said: of what may be long, in a thread.
        """
        if not self._tries:
            return Usage(0, 0, Decimal(0), self.call.model)
        return total([one.usage for one in self._tries])

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The text as it comes. Closing this, or cancelling it, hangs up at once.

        Raises Failed, after what came before the failure.
        """
        self._deadline = asyncio.get_running_loop().time() + _seconds(settings.CHAT_REPLY_TIMEOUT)
        models = [self.call.model, *self.call.fallbacks]
        while True:
            attempt = self._begin(models[0])
            failed: Failed
            try:
                async with aclosing(attempt.pieces()) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except Failed as error:
                failed = error
            if attempt.text or self._is_for_the_caller(failed):
                raise failed
            wait = self._patience(models[0], failed)
            if wait is None:
                models.pop(0)
            self.troubles.append(Trouble(attempt.model, failed.code, wait or 0.0))
            if not models or self._left() <= (wait or 0.0):
                raise failed
            await asyncio.sleep(wait or 0.0)

    def _begin(self, model: str) -> _Try:
        kind = _Builtin if model.startswith("builtin/") else _Remote
        attempt = kind(self.call, model, self._deadline)
        self._tries.append(attempt)
        return attempt

    def _is_for_the_caller(self, failed: Failed) -> bool:
        """To continue it, or ask with less."""
        can_be_shorter = failed.code == "context_overflow" and not self.call.shortened
        return can_be_shorter or failed.code == "too_long"

    def _patience(self, model: str, failed: Failed) -> float | None:
        """Seconds until the same model is worth another try; None if it is not."""
        failures = sum(1 for trouble in self.troubles if trouble.model == model)
        if not failed.retryable or failures + 1 >= settings.CHAT_REPLY_TRIES:
            return None
        if failed.retry_after is None:
            return _backoff(failures)
        longest = _seconds(settings.CHAT_REPLY_RETRY_AFTER_MAX)
        return failed.retry_after if failed.retry_after <= longest else None

    def _left(self) -> float:
        return self._deadline - asyncio.get_running_loop().time()


def _backoff(failures: int) -> float:
    """Doubling, up to eight seconds, and scattered, lest all who failed together return so."""
    longest = min(8.0, _seconds(settings.CHAT_REPLY_BACKOFF) * 2.0**failures)
    return longest * random.uniform(0.5, 1)  # noqa: S311  # chance, not secrecy


def _seconds(length: timedelta) -> float:
    return length.total_seconds()


class _Try:
    """One model, asked once."""

    def __init__(self, call: Call, model: str, deadline: float) -> None:
        self.call = call
        self.model = model
        self.deadline = deadline
        self.text = ""

    @property
    def usage(self) -> Usage:
        raise NotImplementedError

    def pieces(self) -> AsyncGenerator[str, None]:
        raise NotImplementedError

    def _estimate(self) -> tuple[int, int]:
        return tokens.count_messages(self.call.messages), tokens.count(self.text)


class _Builtin(_Try):
    """A robot of ours, that needs no network."""

    @property
    def usage(self) -> Usage:
        return Usage(*self._estimate(), Decimal(0), self.model)

    async def pieces(self) -> AsyncGenerator[str, None]:
        answer = builtin.ROBOTS.get(self.model)
        if answer is None:
            raise Failed("unknown_model")
        async with aclosing(answer(self.call)) as pieces:
            async for piece in pieces:
                self.text += piece
                yield piece


class _Remote(_Try):
    """A model somewhere else. A task of its own reads what litellm and the wire tell."""

    def __init__(self, call: Call, model: str, deadline: float) -> None:
        super().__init__(call, model, deadline)
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue(PIECES_MAX)
        """None is the last."""
        self._watch = upstream.Watch(self._pieces.put)
        self._finish = ""
        self._told: tuple[int, int] | None = None
        self._failed: Failed | None = None

    @property
    def usage(self) -> Usage:
        if self._told and (self._watch.counted or not self._watch.heard):
            sent, received = self._told
        elif self._watch.status == 200:
            sent, received = self._estimate()
        else:
            sent = received = 0
        price = _price(self.model, sent, received)
        return Usage(sent, received, price, self.model, unpriced=price is None)

    async def pieces(self) -> AsyncGenerator[str, None]:
        litellm = await _load()
        with upstream.watched(self._watch):
            reading = asyncio.create_task(self._read(litellm))
        try:
            while (piece := await self._next()) is not None:
                self.text += piece
                yield piece
        except TimeoutError:
            self._failed = Failed("timeout")
        finally:
            await self._hang_up(reading)
        # Raised out here, it does not drag the provider's words, or a key in them, along.
        failed = self._failed or self._verdict()
        if failed and failed.code == "provider_down" and self.text:
            failed = Failed("cut_off")
        if failed:
            raise failed

    async def _hang_up(self, reading: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(TIDYING):
                await self._watch.close()
        except Exception as error:  # then it is hung up on by who reads being cancelled
            logger.warning("%s was not hung up on: %s", self.model, type(error).__name__)
        if not self._watch.asked:
            # litellm makes its request in a thread; cancelled there, it would leave it unawaited.
            # Once it comes to ask, it finds the watch closed.
            await asyncio.wait([reading], timeout=TIDYING)
        reading.cancel()
        await asyncio.wait([reading], timeout=TIDYING)

    async def _next(self) -> str | None:
        """Raises TimeoutError when nothing moves for too long, be it words or not."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        while True:
            quiet = max(since, self._watch.moved) + self._patience()
            try:
                async with asyncio.timeout_at(min(quiet, self.deadline)):
                    return await self._pieces.get()
            except TimeoutError:
                if self._watch.moved + self._patience() <= loop.time() or self._is_late():
                    raise

    def _patience(self) -> float:
        """Seconds."""
        if self.text:
            return _seconds(settings.CHAT_REPLY_SILENCE_TIMEOUT)
        return _seconds(settings.CHAT_REPLY_FIRST_TOKEN_TIMEOUT)

    def _is_late(self) -> bool:
        return asyncio.get_running_loop().time() >= self.deadline

    async def _read(self, litellm: Any) -> None:
        try:
            async with aclosing(await self._open(litellm)) as stream:
                async for chunk in stream:
                    if piece := self._hear(chunk):
                        await self._pieces.put(piece)
        except Exception as error:  # whatever litellm and what is below it come up with
            self._failed = self._failure(error)
        await self._pieces.put(None)

    async def _open(self, litellm: Any) -> Any:
        return await litellm.acompletion(
            model=self.model,
            messages=[dict(message) for message in self.call.messages],
            temperature=self.call.temperature,
            max_tokens=self.call.max_tokens,
            stream=True,
            stream_options={"include_usage": True},
            max_retries=0,
            timeout=_seconds(settings.CHAT_REPLY_TIMEOUT),
            drop_params=True,
            **_credentials(litellm, self.call, self.model),
        )

    def _hear(self, chunk: Any) -> str:
        """The text of a chunk, if it has any that was not taken from the wire."""
        if usage := getattr(chunk, "usage", None):
            self._told = (usage.prompt_tokens, usage.completion_tokens)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self._finish = choice.finish_reason or self._finish
        return choice.delta.content or ""

    def _failure(self, error: Exception) -> Failed:
        code = _code(error, self._watch)
        logger.info(
            "A model did not answer: %s (%s, HTTP %s, %s)",
            code,
            self.model,
            self._watch.status,
            type(error).__name__,
        )
        return Failed(code, retry_after=self._watch.retry_after)

    def _verdict(self) -> Failed | None:
        """Whether what seemed to go well did."""
        watch = self._watch
        if watch.garbled:
            return Failed("bad_answer")
        if watch.ended is False or (watch.broken and not watch.ended):
            return Failed("cut_off")
        if self._finish in {"length", "max_tokens"}:
            return Failed("too_long")
        if self._finish == "content_filter":
            return Failed("refused")
        if not self.text:
            return Failed("empty_answer" if "stream" in watch.content_type else "bad_answer")
        return None


# What went wrong


def _code(error: Exception, watch: upstream.Watch) -> str:
    error = getattr(error, "original_exception", None) or error
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, Failed):
        return error.code
    if "ContextWindowExceededError" in kinds:
        return "context_overflow"
    if "ContentPolicyViolationError" in kinds or _told_code(error) in REFUSALS:
        return "refused"
    if kinds & {"TimeoutError", "Timeout", "APITimeoutError"}:
        return "timeout"
    if watch.status == 200:
        return _code_of_stream(watch)
    if not watch.asked and watch.status == 0:
        return _code_of_refusal(error)
    return _code_of_status(watch.status or getattr(error, "status_code", 500))


def _told_code(error: Exception) -> str:
    body = getattr(error, "body", None)
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def _code_of_refusal(error: Exception) -> str:
    """litellm asked nobody: it has no key, or knows no such model."""
    return (
        "bad_key"
        if re.search(r"api.?key|credential", str(error), re.IGNORECASE)
        else "unknown_model"
    )


def _code_of_stream(watch: upstream.Watch) -> str:
    if watch.content_type == "text/html" or watch.garbled:
        return "bad_answer"
    return "cut_off" if watch.broken else "provider_down"


def _code_of_status(status: int) -> str:
    match status:
        case 401 | 403:
            return "bad_key"
        case 404:
            return "unknown_model"
        case 408 | 504:
            return "timeout"
        case 413:
            return "context_overflow"
        case 429:
            return "rate_limited"
    return "bad_request" if 400 <= status < 500 else "provider_down"


# litellm

_transports: dict[Any, upstream.Transport] = {}
_loading = threading.Lock()
_loaded: Any = None


async def _load() -> Any:
    """litellm, which a thread imports, so that the loop is not held up for seconds."""
    return _loaded or await asyncio.to_thread(_import)


def _import() -> Any:
    global _loaded
    with _loading:
        if _loaded is None:
            _loaded = _imported()
    return _loaded


def _imported() -> Any:
    # Before the import, or it asks the network for prices and reads `.env`.
    os.environ.update(
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        LITELLM_OFFLINE_MODE="true",
        LITELLM_MODE="PRODUCTION",
        LITELLM_LOG="CRITICAL",
    )
    import litellm
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.turn_off_message_logging = True
    litellm.disable_streaming_logging = True
    litellm.disable_hf_tokenizer_download = True
    # They tell what was asked, and of whom. What is `disabled` speaks again once logging is set up
    # anew.
    for name in ["LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai"]:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    transport = _transport_by(AsyncHTTPHandler.create_aiohttp_transport)
    setattr(AsyncHTTPHandler, "create_async_transport", staticmethod(transport))  # noqa: B010
    # Its million objects stay; looked through again and again, they would hold every stream up
    # for a third of a second.
    gc.collect()
    gc.freeze()
    return litellm


def _transport_by(connect: Callable[..., Any]) -> Callable[..., upstream.Transport]:
    """What litellm calls to make the transport of a client."""

    def transport(
        ssl_context: Any = None, ssl_verify: bool | None = None, shared_session: object = None
    ) -> upstream.Transport:
        key = (ssl_context, ssl_verify)
        if key not in _transports:
            _transports[key] = upstream.Transport(lambda: connect(ssl_verify, ssl_context))
        return _transports[key]

    return transport


def _credentials(litellm: Any, call: Call, model: str) -> dict[str, str]:
    """Where to ask, and with which key."""
    if model != call.model and _provider(litellm, model) != _provider(litellm, call.model):
        return {}
    found = {"api_base": call.api_base} if call.api_base else {}
    if call.key_env:
        return {**found, "api_key": _key(call.key_env)}
    # An address of one's own never gets the provider's usual key.
    return {**found, "api_key": "none"} if found else {}


def _provider(litellm: Any, model: str) -> str:
    try:
        return str(litellm.get_llm_provider(model)[1])
    except litellm.BadRequestError:
        return ""  # it knows none, and says so when it is asked


def _key(name: str) -> str:
    try:
        keys.must_be_nameable(name)
    except Invalid:
        raise Failed("bad_key") from None
    if key := os.environ.get(name, ""):
        return key
    raise Failed("bad_key")


def _price(model: str, sent: int, received: int) -> Decimal | None:
    """In US dollars, by the price list that came with litellm; None if it is not on it."""
    if not sent and not received:
        return Decimal(0)
    try:
        prices = _loaded.cost_per_token(model=model, prompt_tokens=sent, completion_tokens=received)
    except Exception:  # it raises a bare Exception for a model it has no price of
        return None
    return sum((Decimal(str(price)) for price in prices), Decimal(0))
