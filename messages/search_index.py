"""The index of what was said, kept by the database itself.

Whoever writes a message by whatever way (a verb, `loaddata`, a purge) writes the index in the same
statement, without knowing of it. What is being written, deleted or a note of the system is not in
it. PostgreSQL has a generated column with a GIN index; SQLite an FTS5 table, kept by triggers.

Beside its words a message is found by its room, its author, and whether it has files: on SQLite by
keys among the words. The rooms of who asks are always asked for, so that a word that is rare here
costs little, however frequent it is elsewhere. Who may see a message is not decided here.

A migration that has SQLite make the table of messages anew drops its triggers: end it with
`RunPython(search_index.create, search_index.drop)`. A test notices if it does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from messages.search_query import Phrase
from messages.words import ACCENTS, LETTERS, SEPARATORS, UNSPACED, fold

Value = str | int | list[int]

LOT, GROWTH, LARGEST_LOT = 60, 8, 4_000
"""How many are looked up at first, by how much more each next time, and at most."""
NEWEST, LOOKED_THROUGH = 30_000, 1_500
"""Ids among which PostgreSQL looks first, and messages of the searched rooms that it looks through
there: its index of words brings all that ever matched.
"""
MOST_FOUND = 4_000
"""Ids that it gives at once."""
SOME = 3
"""So many have to be found for `GROWTH` times as many to be next, and not all the rest."""


@dataclass(frozen=True)
class Match:
    """In these rooms all of the phrases, less the negated ones."""

    rooms: Collection[int]
    phrases: Sequence[Phrase]
    authors: Collection[int] | None = None
    """None: whoever it is by."""
    other_authors: Collection[int] = ()
    """Those that it is not by."""
    has_file: bool | None = None


def find(match: Match, *, above: int, below: int) -> Iterator[list[int]]:
    """Ids between these two, newest first, lot by lot."""
    return (_on_postgresql if connection.vendor == "postgresql" else _on_sqlite)(
        match, above, below
    )


# SQLite ------------------------------------------------------------------------------------------


def _on_sqlite(match: Match, above: int, below: int) -> Iterator[list[int]]:
    asked, lot = _fts5(match), LOT
    while True:
        rows = [pk for (pk,) in _rows(FTS5_FIND, [asked, above, below, lot])]
        yield rows
        if len(rows) < lot:
            return
        below, lot = rows[-1], min(lot * GROWTH, LARGEST_LOT)


FTS5_FIND = """
SELECT rowid FROM chat_messages_search
WHERE chat_messages_search MATCH %s AND rowid > %s AND rowid < %s
ORDER BY rowid DESC LIMIT %s
"""


def _fts5(match: Match) -> str:
    """In the language of FTS5. Words are folded: nothing in them but letters and numbers."""
    wanted = [_fts5_keys("r", match.rooms)]
    wanted += [_fts5_phrase(phrase) for phrase in match.phrases if not phrase.negated]
    unwanted = [_fts5_phrase(phrase) for phrase in match.phrases if phrase.negated]
    if match.authors is not None:
        wanted.append(_fts5_keys("a", match.authors))
    if match.other_authors:
        unwanted.append(_fts5_keys("a", match.other_authors))
    if match.has_file is not None:
        (wanted if match.has_file else unwanted).append("keys : (f)")
    asked = " AND ".join(wanted)
    return f"({asked}) NOT ({' OR '.join(unwanted)})" if unwanted else asked


def _fts5_keys(letter: str, pks: Collection[int]) -> str:
    return f"keys : ({' OR '.join(f'{letter}{pk}' for pk in sorted(pks))})"


def _fts5_phrase(phrase: Phrase) -> str:
    return f'words : "{phrase.text}"{" *" if phrase.prefix else ""}'


# PostgreSQL --------------------------------------------------------------------------------------


def _on_postgresql(match: Match, above: int, below: int) -> Iterator[list[int]]:
    """The newest are looked through. Others PostgreSQL looks up by their words or by their rooms
    first, as it reckons to be the shorter way.
    """
    ((newest,),) = _rows("SELECT max(id) FROM chat_messages_message WHERE id < %s", [below])
    below, lot = (newest or 0) + 1, LOT
    floor = max(above, below - 1 - NEWEST)
    ((looked, last, found),) = _rows(*_asked(LOOK_THROUGH, match, floor, below, LOOKED_THROUGH))
    if looked == LOOKED_THROUGH:
        floor = last - 1
    rows = found or []
    while True:
        at = 0
        while at < len(rows):
            yield rows[at : at + lot]
            at, lot = at + lot, min(lot * GROWTH, LARGEST_LOT)
        if floor <= above:
            return
        reach = (below - floor) * GROWTH if len(rows) >= SOME else floor
        below, floor = floor + 1, max(above, floor - reach)
        rows = [pk for (pk,) in _rows(*_asked(LOOK_UP, match, floor, below, MOST_FOUND))]
        if len(rows) == MOST_FOUND:
            floor = rows[-1] - 1


LOOK_THROUGH = """
WITH newest AS MATERIALIZED (
    SELECT id, search FROM chat_messages_message
    WHERE id > %(above)s AND id < %(below)s AND {who} ORDER BY id DESC LIMIT %(most)s
)
SELECT count(*), min(id), array_agg(id ORDER BY id DESC) FILTER (WHERE {words}) FROM newest
"""
# By itself, or it would be walked through in the order that is asked for, however seldom it is.
LOOK_UP = """
WITH found AS MATERIALIZED (
    SELECT id FROM chat_messages_message
    WHERE id > %(above)s AND id < %(below)s AND {who} AND {words}
)
SELECT id FROM found ORDER BY id DESC LIMIT %(most)s
"""
IS_SEARCHABLE = "$$'='$$::tsquery"
"""True of every row of the index."""
HAS_FILE = "$$'=f'$$::tsquery"


def _asked(
    look: str, match: Match, above: int, below: int, most: int
) -> tuple[str, Mapping[str, Value]]:
    """SQL, and its values. Words are folded by the database, as those it has were.

    Rooms and authors are asked by their numbers: for fifty rooms the index of words alone would be
    read for longer than for all else.
    """
    values: dict[str, Value] = {"above": above, "below": below, "most": most}
    who = ["room_id = ANY(%(rooms)s)"]
    values["rooms"] = [*match.rooms]
    if match.authors is not None:
        who.append("author_id = ANY(%(authors)s)")
        values["authors"] = [*match.authors]
    if match.other_authors:
        who.append("author_id <> ALL(%(others)s)")
        values["others"] = [*match.other_authors]
    terms = []
    for n, phrase in enumerate(match.phrases):
        term = f"chat_starting(%(p{n})s)" if phrase.prefix else f"chat_phrase(%(p{n})s)"
        terms.append(f"!! {term}" if phrase.negated else term)
        values[f"p{n}"] = phrase.text
    if match.has_file is not None:
        terms.append(HAS_FILE if match.has_file else f"!! {HAS_FILE}")
    if all(term.startswith("!!") for term in terms):
        terms.append(IS_SEARCHABLE)
    words = " && ".join(terms)
    # Words of letters that PostgreSQL does not know are as if they were not there.
    words = f"search @@ (CASE WHEN numnode({words}) = 0 THEN {IS_SEARCHABLE} ELSE {words} END)"
    return look.format(who=" AND ".join(who), words=words), values


def _rows(sql: str, values: Sequence[Value] | Mapping[str, Value]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


# Making it ---------------------------------------------------------------------------------------


def teach(connection: Any, **_: object) -> None:
    """Tell a new connection of SQLite's how words are compared, which its triggers ask."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("chat_words", 1, fold, deterministic=True)


def create(apps: Any, schema_editor: Any) -> None:
    """For a migration's RunPython. What is there already is made anew, of all messages."""
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def drop(apps: Any, schema_editor: Any) -> None:
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


SEARCHABLE = "{row}status <> 'streaming' AND {row}deleted_at IS NULL AND {row}kind <> 'system'"
FTS5_ROW = """
    {row}id, chat_words({row}body || ' ' || {row}file_names),
    'r' || {row}room_id || ' a' || {row}author_id || iif({row}file_names <> '', ' f', '')
"""
WATCHED = "body, file_names, status, deleted_at, kind, room_id, author_id"


def _fts5_trigger(event: str, *, old: bool = False, new: bool = False) -> str:
    rows = [name for name, wanted in (("old.", old), ("new.", new)) if wanted]
    written = {
        "old.": "INSERT INTO chat_messages_search (chat_messages_search, rowid, words, keys)"
        " SELECT 'delete', {values} WHERE {searchable};",
        "new.": "INSERT INTO chat_messages_search (rowid, words, keys)"
        " SELECT {values} WHERE {searchable};",
    }
    body = "\n".join(
        written[row].format(values=FTS5_ROW.format(row=row), searchable=SEARCHABLE.format(row=row))
        for row in rows
    )
    when = " OR ".join(f"({SEARCHABLE.format(row=row)})" for row in rows)
    name = f"chat_messages_search_{event.split()[0].lower()}"
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON chat_messages_message"
        f" WHEN {when} BEGIN\n{body}\nEND"
    )


FTS5_DROP = [
    *(
        f"DROP TRIGGER IF EXISTS chat_messages_search_{event}"
        for event in ("insert", "update", "delete")
    ),
    "DROP TABLE IF EXISTS chat_messages_search",
    "DROP VIEW IF EXISTS chat_messages_searchable",
]
GIN_DROP = [
    "ALTER TABLE chat_messages_message DROP COLUMN IF EXISTS search",
    *(
        f"DROP FUNCTION IF EXISTS chat_{name}(text)"
        for name in ("searched", "starting", "phrase", "words")
    ),
]
_ONE = {letter: plain for letter, plain in LETTERS.items() if len(plain) == 1}
_MORE = [(letter, plain) for letter, plain in LETTERS.items() if len(plain) > 1]
_LETTERS = f"translate(lower(normalize($1, NFKD)), '{''.join(_ONE)}', '{''.join(_ONE.values())}')"
for _letter, _plain in _MORE:
    _LETTERS = f"replace({_LETTERS}, '{_letter}', '{_plain}')"

DROP = {"sqlite": FTS5_DROP, "postgresql": GIN_DROP}
CREATE = {
    "sqlite": [
        *FTS5_DROP,
        f"""CREATE VIEW chat_messages_searchable (id, words, keys) AS
        SELECT {FTS5_ROW.format(row="")} FROM chat_messages_message
        WHERE {SEARCHABLE.format(row="")}""",  # noqa: S608  # made of what stands above
        # The words lie folded: what is not ASCII in them is a letter.
        """CREATE VIRTUAL TABLE chat_messages_search USING fts5(
        words, keys, content = 'chat_messages_searchable', content_rowid = 'id',
        tokenize = 'ascii', prefix = '3')""",
        "INSERT INTO chat_messages_search (chat_messages_search) VALUES ('rebuild')",
        _fts5_trigger("INSERT", new=True),
        _fts5_trigger(f"UPDATE OF {WATCHED}", old=True, new=True),
        _fts5_trigger("DELETE", old=True),
    ],
    "postgresql": [
        *GIN_DROP,
        rf"""CREATE FUNCTION chat_words(text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
        SELECT CASE WHEN octet_length($1) = char_length($1)
            THEN regexp_replace(lower($1), '[^a-z0-9]+', ' ', 'g')
            ELSE regexp_replace(
                regexp_replace(
                    normalize(regexp_replace({_LETTERS}, '[{ACCENTS}]', '', 'g'), NFC),
                    '[{SEPARATORS}]+', ' ', 'g'
                ),
                '([{UNSPACED}])', ' \1 ', 'g'
            ) END
        $function$""",
        """CREATE FUNCTION chat_phrase(text) RETURNS tsquery
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
        SELECT phraseto_tsquery('simple'::regconfig, chat_words($1))
        $function$""",
        """CREATE FUNCTION chat_starting(text) RETURNS tsquery
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
        SELECT CASE WHEN numnode(chat_phrase($1)) = 0 THEN chat_phrase($1)
            ELSE (chat_phrase($1)::text || ':*')::tsquery END
        $function$""",
        """CREATE FUNCTION chat_searched(text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
        SELECT to_tsvector('simple'::regconfig, chat_words($1))
        $function$""",
        f"""ALTER TABLE chat_messages_message ADD COLUMN search tsvector GENERATED ALWAYS AS (
        CASE WHEN {SEARCHABLE.format(row="")} THEN
            chat_searched(body || ' ' || file_names)
                || array_to_tsvector(ARRAY['=', CASE WHEN file_names <> '' THEN '=f' ELSE '=' END])
        END) STORED""",
        # What waits to be put in order is looked through by each search: little of it shall wait.
        """CREATE INDEX chat_messages_search ON chat_messages_message USING gin (search)
        WITH (gin_pending_list_limit = 512)""",
    ],
}
