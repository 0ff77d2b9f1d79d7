"""The index of what was said, kept by the database itself.

Whoever writes a message by whatever way (a verb, `loaddata`, a purge) writes the index in the same
statement, without knowing of it. What is being written, deleted or a note of the system is not in
it. PostgreSQL has a generated column with a GIN index; SQLite an FTS5 table, kept by triggers.

Beside its words a message is found by keys: its room, its author, whether it has files. The rooms
of who asks are always asked for, so that a word that is rare here costs little, however frequent
it is elsewhere. Who may see a message is not decided here.

A migration that has SQLite make the table of messages anew drops its triggers: end it with
`RunPython(search_index.create, search_index.drop)`. A test notices if it does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from messages.search_query import Phrase
from messages.words import ACCENTS, LETTERS, SEPARATORS, UNSPACED, fold

Value = str | int | list[int]

HAS_FILE = "f"
LOT, GROWTH, LARGEST_LOT = 60, 8, 4_000
"""How many are looked up at first, by how much more each next time, and at most."""
WALKS = (2_500, 10_000, 40_000)
"""Messages that PostgreSQL looks through one by one, newest first, before it asks the index, which
brings all that ever matched: what is said often is found by walking, what is said rarely by asking.
"""
OFTEN = 1_250
"""Of so many that were looked through one has to match for it to walk on. Twenty such take half as
long to walk to as the index takes, or a fifth; where fewer match that turns round.
"""


def author_key(pk: int) -> str:
    return f"a{pk}"


@dataclass(frozen=True)
class Match:
    """In these rooms all of the phrases, less the negated ones; one of each of `keys`, none of
    `other_keys`.
    """

    rooms: Collection[int]
    phrases: Sequence[Phrase]
    keys: Sequence[Collection[str]] = ()
    other_keys: Collection[str] = ()

    @property
    def room_keys(self) -> list[str]:
        return [f"r{pk}" for pk in self.rooms]


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
    wanted = [_fts5_keys(keys) for keys in (match.room_keys, *match.keys)]
    wanted += [_fts5_phrase(phrase) for phrase in match.phrases if not phrase.negated]
    unwanted = [_fts5_phrase(phrase) for phrase in match.phrases if phrase.negated]
    if match.other_keys:
        unwanted.append(_fts5_keys(match.other_keys))
    asked = " AND ".join(wanted)
    return f"({asked}) NOT ({' OR '.join(unwanted)})" if unwanted else asked


def _fts5_keys(keys: Collection[str]) -> str:
    return f"keys : ({' OR '.join(sorted(keys))})"


def _fts5_phrase(phrase: Phrase) -> str:
    return f'words : "{phrase.text}"{" *" if phrase.prefix else ""}'


# PostgreSQL --------------------------------------------------------------------------------------


def _on_postgresql(match: Match, above: int, below: int) -> Iterator[list[int]]:
    terms, values = _tsquery(match)
    asked = " && ".join([*terms, IS_SEARCHABLE])
    for most in WALKS:
        walk = [[*match.rooms], *values, above, below, most]
        ((floor, walked, found),) = _rows(WALK_DOWN.format(asked=asked), walk)
        rows = found or []
        for at in range(0, len(rows), LARGEST_LOT):
            yield rows[at : at + LARGEST_LOT]
        if walked < most:
            return
        below = floor
        if len(rows) * OFTEN < walked:
            break
    asked = " && ".join([*terms, "%s::tsquery"])
    values.append(_any_of(match.room_keys))
    lot = LOT
    while True:
        rows = [pk for (pk,) in _rows(GIN_FIND.format(asked=asked), [*values, above, below, lot])]
        yield rows
        if len(rows) < lot:
            return
        below, lot = rows[-1], min(lot * GROWTH, LARGEST_LOT)


IS_SEARCHABLE = "$$'='$$::tsquery"
"""True of every row of the index. Words of letters that PostgreSQL does not know are as if they
were not there, and may leave nothing else to ask for."""
# Here the rooms are asked by their numbers: a column costs less than fifty words.
WALK_DOWN = """
SELECT min(id), count(*),
    array_agg(id ORDER BY id DESC) FILTER (WHERE room_id = ANY(%s) AND search @@ ({asked}))
FROM (
    SELECT id, room_id, search FROM chat_messages_message WHERE id > %s AND id < %s
    ORDER BY id DESC LIMIT %s
) AS newest
"""
# By itself, or the planner would walk the messages in the order that is asked for.
GIN_FIND = """
WITH found AS MATERIALIZED (
    SELECT id FROM chat_messages_message WHERE search @@ ({asked})
)
SELECT id FROM found WHERE id > %s AND id < %s ORDER BY id DESC LIMIT %s
"""


def _tsquery(match: Match) -> tuple[list[str], list[Value]]:
    """Terms of SQL, and their values. Words are folded by the database, as those it has were."""
    terms: list[str] = []
    values: list[Value] = []
    for phrase in match.phrases:
        term = "chat_starting(%s)" if phrase.prefix else "chat_phrase(%s)"
        terms.append(f"!! {term}" if phrase.negated else term)
        values.append(phrase.text)
    for keys in match.keys:
        terms.append("%s::tsquery")
        values.append(_any_of(keys))
    if match.other_keys:
        terms.append("!! %s::tsquery")
        values.append(_any_of(match.other_keys))
    return terms, values


def _any_of(keys: Collection[str]) -> str:
    return " | ".join(f"'={key}'" for key in sorted(keys))


def _rows(sql: str, values: Sequence[Value]) -> list[Any]:
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
            chat_searched(body || ' ' || file_names) || array_to_tsvector(ARRAY[
                '=', '=r' || room_id::text, '=a' || author_id::text,
                CASE WHEN file_names <> '' THEN '=f' ELSE '=' END])
        END) STORED""",
        # What waits to be put in order is looked through by each search: little of it shall wait.
        """CREATE INDEX chat_messages_search ON chat_messages_message USING gin (search)
        WITH (gin_pending_list_limit = 512)""",
    ],
}
