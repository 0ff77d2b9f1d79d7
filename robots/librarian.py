"""Finding what a question can be answered from, among what the answer may rest on.

Ranked as BM25 does (Robertson & Zaragoza, 2009), in whatever language: words are compared without
case and accents, by how they begin, which stands in for knowing their endings.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import log

from django.db.models.functions import Left
from django.urls import reverse

from robots.builtin import PASSAGES_MAX
from robots.llm import Passage
from robots.models import Article, Reply
from robots.models.article import ArticleQuerySet
from robots.scope import Scope

MESSAGES_READ = 2_000
ARTICLES_READ = 2_000
MESSAGE_READ = 4_000
"""Characters of one."""
KEPT = 2_000_000
"""Characters of articles that each process keeps: with their words, some twenty megabytes."""

STEM = 6
"""Letters by which words are compared: “refund” and “refunds”, “invoice” and “invoicing”."""
K1, B = 1.2, 0.75
"""BM25's usual ones: how soon repetition stops to count, how much length counts against a text."""
OTHERS = 50
"""Texts supposed besides those there are: among a handful no word would count as rare."""
ENOUGH = 0.2
"""The share of what a sentence asks about that a passage must speak of."""

# English words that ask rather than say what about. Of other languages it is the frequent words
# that count least, as in any BM25.
_FILLERS = """
a about an and any anybody anyone are as at be been by can could did do does find for from get got
had has have he her here his how i if in is it its know me much many my no not of on or our please
say she should so some somebody someone tell than that the their them there these they this those
to us was we were what when where which who whom whose why will with would you your
"""
FILLERS = frozenset(_FILLERS.split())

_WORD = re.compile(r"[^\W_]+")
_MENTION = re.compile(r"(?<![\w@])@[\w.-]+")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？\n]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")
"""Scripts that put no space between words."""


@dataclass(frozen=True, slots=True)
class Document:
    """What may be found, and the words it is found by."""

    passage: Passage
    stems: Counter[str]

    @classmethod
    def of(cls, passage: Passage, *, title: str = "") -> Document:
        return cls(passage, Counter(stems(f"{title} {passage.text}")))

    def answers(self, found: Collection[str]) -> bool:
        """Whether it says more of this than to ask for it."""
        asks = self.passage.text.rstrip().endswith(("?", "？", "؟"))
        return bool(found) and not (asks and len(found) == len(self.stems))


def passages(reply: Reply, question: str) -> list[Passage]:
    """What speaks of the question, best first; nothing where nothing does.

    Raises NotFound where the robot is not in the room any more.
    """
    documents = [*_said(Scope.of(reply), reply), *_known()]
    return [document.passage for document in Ranking(documents).best(question)]


def _said(scope: Scope, reply: Reply) -> Iterator[Document]:
    """What people and models said; robots of ours only repeat it, or say that there is nothing."""
    said = scope.messages().exclude(pk=reply.question_id).exclude(author=reply.robot.user)
    said = said.exclude(author__robot__model__startswith="builtin/").exclude(body="")
    rows = said.order_by("-pk").values_list("author__name", Left("body", MESSAGE_READ), "pk")
    for name, text, pk in rows[:MESSAGES_READ]:
        yield Document.of(Passage(name, text, reverse("message", args=[pk])))


def _known() -> Sequence[Document]:
    """Articles, kept as they were read last: they change seldom."""
    found = _newest_articles().values_list("pk", "updated_at")
    documents = _read(tuple(found[:ARTICLES_READ]))
    if sum(len(document.passage.text) for document in documents) > KEPT:
        _read.cache_clear()
    return documents


@lru_cache(1)
def _read(articles: tuple[tuple[int, datetime], ...]) -> Sequence[Document]:
    """What was published when these were; what changes meanwhile has another key next time."""
    newest = _newest_articles().values_list("title", "body")[:ARTICLES_READ] if articles else ()
    return [
        Document.of(Passage(title, part, ""), title=title)
        for title, body in newest
        for part in parts(body)
    ]


def _newest_articles() -> ArticleQuerySet:
    published: ArticleQuerySet = Article.objects.published()
    return published.order_by("-updated_at", "-pk")


def parts(body: str) -> list[str]:
    """An article by its headings, so that what is quoted is what answers."""
    found = re.split(r"\n(?=#{1,6} )", body)
    return [part.strip() for part in found if part.strip()]


class Ranking:
    """Documents, and how rare each word is among them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self._frequencies = Counter(stem for document in documents for stem in document.stems)
        length = sum(document.stems.total() for document in documents)
        self._usual_length = max(1.0, length / max(1, len(documents)))

    def best(self, question: str, most: int = PASSAGES_MAX) -> list[Document]:
        """Those that speak of enough of what is asked, best first."""
        sentences = [set(stems(sentence)) for sentence in _SENTENCE_END.split(question)]
        asked = set().union(*sentences)
        scores = {}
        for place, document in enumerate(self.documents):
            found = asked & document.stems.keys()
            if document.answers(found) and self._is_enough(found, sentences):
                scores[place] = sum(self._score(document, stem) for stem in found)
        places = sorted(scores, key=lambda place: -scores[place])
        return [self.documents[place] for place in places[:most]]

    def _is_enough(self, found: Collection[str], sentences: Iterable[set[str]]) -> bool:
        """Of one sentence: people say more than they ask."""
        return any(
            self._weight(sentence.intersection(found)) >= ENOUGH * self._weight(sentence)
            for sentence in sentences
            if sentence
        )

    def _weight(self, found: Iterable[str]) -> float:
        return sum(self._rarity(stem) for stem in found)

    def _rarity(self, stem: str) -> float:
        """Its inverse document frequency; what nobody speaks of is as rare as what one does."""
        having = max(1, self._frequencies[stem]) + 0.5
        return log(1 + (len(self.documents) + OTHERS + 1 - having) / having)

    def _score(self, document: Document, stem: str) -> float:
        times = document.stems[stem]
        length = document.stems.total() / self._usual_length
        return self._rarity(stem) * times * (K1 + 1) / (times + K1 * (1 - B + B * length))


def stems(text: str) -> list[str]:
    """What a text is about: its words as they are compared, without those that only ask."""
    return [stem for word in words(text) if word not in FILLERS for stem in stems_of(word)]


def stems_of(word: str) -> list[str]:
    """How it begins; where words are not parted by spaces, each two signs in a row."""
    unspaced = _UNSPACED.findall(word)
    if not unspaced:
        return [word[:STEM]]
    pairs = [run[i : i + 2] for run in unspaced for i in range(max(1, len(run) - 1))]
    rest = _WORD.findall(_UNSPACED.sub(" ", word))
    return [*pairs, *(part[:STEM] for part in rest)]


def words(text: str) -> list[str]:
    """In one case and without accents; whom a text mentions is not what it is about."""
    plain = _MENTION.sub(" ", text).casefold()
    if not plain.isascii():
        letters = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _WORD.findall(plain)
