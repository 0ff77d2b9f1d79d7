"""Markdown to HTML that is safe to show anyone, and the handles it mentions.

What a message costs to render is bounded by rules over its source, never by a clock, so that one
source always gives one HTML. `benchmarks/markdown.py` measures them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import nh3
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore, linkify
from markdown_it.rules_inline import StateInline, link
from markdown_it.rules_inline import linkify as url
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

# Every "[" makes the parser look at the rest of its paragraph, every "://" at what came before:
# 16,000 characters of either take a second. A message with more of them than this has no links.
MAX_LINK_SIGNS: Final = 400
# Host names without "://" are searched for in time quadratic to the longest word. A message with a
# longer word has none; its full URLs are links still.
MAX_LINKIFIED_WORD: Final = 200
# Short rows are filled up to the width of the header, so a few bytes can become many cells.
MAX_TABLE_CELLS: Final = 10_000
# The parser drops what is nested deeper, so such a message is shown as plain text instead.
MAX_NESTING: Final = 24
# Lexers are quadratic on odd input: 16,000 characters can take seconds, 4,000 at most 0.3 s.
MAX_HIGHLIGHTED: Final = 4_000
# A message whose HTML would be larger is shown as plain text.
MAX_HTML: Final = 200_000

MAX_HANDLE: Final = 32

# Lexers measured to stay within the bound above. C#, Scala, R, Make and Terraform do not.
# fmt: off
LANGUAGES: Final = frozenset({
    "bash", "c", "console", "cpp", "css", "diff", "docker", "dockerfile", "go", "html", "http",
    "java", "javascript", "js", "json", "jsx", "kotlin", "latex", "lua", "markdown", "md",
    "nginx", "perl", "php", "postgresql", "powershell", "py", "python", "pycon", "rb", "rs",
    "ruby", "rust", "scss", "sh", "shell", "sql", "swift", "tex", "toml", "ts", "tsx",
    "typescript", "vim", "xml", "yaml", "yml",
})
# fmt: on

# Bare host names are links only under these: "main.py", "notes.md" and "run.sh" are files.
BARE_DOMAINS: Final = ["com", "org", "net", "edu", "gov", "info", "eu", "de", "fr", "uk", "nl"]

# fmt: off
TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}
# fmt: on

ALIGNMENTS: Final = {
    "text-align:left": "align-left",
    "text-align:center": "align-center",
    "text-align:right": "align-right",
}

_MENTION = re.compile(
    # Not within a word, an address or a path ...
    r"(?<![\w@/])(?<!\w[.+-])@([a-zA-Z0-9][a-zA-Z0-9._-]*)"
    # ... nor before the rest of a longer word or of an address.
    r"(?![\w@])"
)
# What every link that needs no brackets has in it. Looking closer costs more than all the rest.
_LINKABLE = re.compile(r"//|mailto:|\.\w", re.IGNORECASE)
_ROOM = re.compile(r"<#([1-9][0-9]{0,17})>", re.ASCII)
_MESSAGE = re.compile(r"/messages/[1-9][0-9]{0,17}/", re.ASCII)
_BOXES = {"[ ] ": "☐ ", "[x] ": "☑ "}
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Lines of prose without anything that Markdown or links could start with; of mentions it may have
# some. Most of what people say is no more than that, and the parser would take 20 times as long.
_LINE = r"""(?:[^\W\d_]|@)(?:[^\W_]|[ ,;!?'"()%$=+#^{}€’“”–…@-]|/(?!/)|\.(?!\w)|:(?!\S))*(?<! )"""
_PROSE = re.compile(rf"{_LINE}(?:\n{_LINE})*")

_CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags={"script", "style"},
    attributes={
        "a": {"href", "title", "data-room"},
        "ol": {"start"},
        "pre": {"data-language"},
        "span": {"data-handle"},
    },
    allowed_classes={
        "a": {"room-link"},
        "span": {"mention", *filter(None, STANDARD_TYPES.values())},
        "pre": {"highlight"},
        "td": set(ALIGNMENTS.values()),
        "th": set(ALIGNMENTS.values()),
    },
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener nofollow ugc",
)


@dataclass(frozen=True)
class Rendered:
    """HTML that is the same for every reader, and whom it mentions, in lower case without "@"."""

    html: str
    mentions: frozenset[str]


def render(source: str) -> Rendered:
    """Render a message's Markdown. The worst input takes 0.3 s: not on the event loop."""
    if _PROSE.fullmatch(source):
        return _render_prose(source)
    tokens = _parse(source)
    html = _html(tokens)
    if len(html) > MAX_HTML:
        tokens = _PLAIN.parse(source)
        html = _html(tokens)
    return Rendered(html, frozenset(_handles(tokens)))


def excerpt(source: str, length: int = 140) -> str:
    """Say in one line of plain text, of at most `length` characters, how a message begins."""
    return _excerpt(source[: 10 * length], length)


@lru_cache(maxsize=4_096)
def _excerpt(source: str, length: int) -> str:
    """Kept, as one message may be quoted by a whole page of others."""
    text = plain_text(source)
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip() + "…"


def plain_text(source: str) -> str:
    """All that it says, in one line. What it costs is bounded by `source` alone."""
    texts = [source] if _PROSE.fullmatch(source) else _texts(_parse(source))
    return " ".join(" ".join(texts).split())


def _render_prose(source: str) -> Rendered:
    """To the same HTML that the parser would make of it."""
    parts, handles, done = [], set(), 0
    for start, end, handle in _mentions_in(source):
        parts += [source[done:start], _mention(source[start:end], handle)]
        handles.add(handle)
        done = end
    html = "".join([*parts, source[done:]]).replace("\n", "<br>\n")
    return Rendered(f"<p>{html}</p>\n", frozenset(handles))


def _html(tokens: Sequence[Token]) -> str:
    return _CLEANER.clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _parse(source: str) -> list[Token]:
    source = _SURROGATES.sub("\ufffd", source)
    tokens = _MARKDOWN.parse(source)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return _PLAIN.parse(source)
    return tokens


def _handles(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        for child in token.children or ():
            if child.type == "mention":
                yield child.info


def _texts(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            children = token.children or ()
            yield "".join(" " if "break" in child.type else child.content for child in children)
        elif token.type in {"fence", "code_block"}:
            yield token.content


class _Markdown(MarkdownIt):
    """CommonMark as chat users expect it: no raw HTML, and links only to the web, to mail, and
    to messages of this site, as robots name their sources.
    """

    def validateLink(self, url: str) -> bool:  # noqa: N802
        known = url.strip().lower().startswith(("http://", "https://", "mailto:"))
        return known or _MESSAGE.fullmatch(url) is not None


def _count_link_signs(state: StateCore) -> None:
    texts = [token.content for token in state.tokens if token.type == "inline"]
    signs = sum(text.count("[") + text.count("://") for text in texts)
    state.env["links"] = signs <= MAX_LINK_SIGNS


def _bounded_link(state: StateInline, silent: bool) -> bool:
    return bool(state.env["links"]) and link(state, silent)


def _bounded_url(state: StateInline, silent: bool) -> bool:
    return bool(state.env["links"]) and url(state, silent)


def _image_as_link(state: StateInline, silent: bool) -> bool:
    """Pages make no requests to third parties, so an image is a link to it."""
    if not state.src.startswith("![", state.pos):
        return False
    state.pos += 1
    if _bounded_link(state, silent):
        return True
    state.pos -= 1
    return False


def _bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start]) + 1
    return columns * (end - start) <= MAX_TABLE_CELLS and table(state, start, end, silent)


def _linkify_what_may_hold_links(state: StateCore) -> None:
    if not state.env["links"] or not _LINKABLE.search(state.src):
        return
    if max(map(len, state.src.split())) <= MAX_LINKIFIED_WORD:
        linkify(state)


def _align_by_class(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in {"td_open", "th_open"} and "style" in token.attrs:
            token.attrs = {"class": ALIGNMENTS[str(token.attrs["style"])]}


def _find_mentions(state: StateCore) -> None:
    quotes = 0
    for token in state.tokens:
        quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        if not quotes and token.type == "inline" and "@" in token.content:
            token.children = list(_with_mentions(token.children or []))


def _tick_off(state: StateCore) -> None:
    """An item that begins with `[ ]` or `[x]` is a thing to do, or done."""
    for item, paragraph, text in zip(
        state.tokens, state.tokens[1:], state.tokens[2:], strict=False
    ):
        box = _BOXES.get(text.content[:4].lower())
        if (item.type, paragraph.type) == ("list_item_open", "paragraph_open") and box:
            text.content = box + text.content[4:]


def _with_mentions(children: Sequence[Token]) -> Iterator[Token]:
    before, in_url = "", False
    for token in children:
        if token.type in {"link_open", "link_close"}:
            in_url = token.type == "link_open" and token.info == "auto"
        if token.type == "text" and not in_url:
            yield from _split(token, before)
        else:
            yield token
        before = token.content[-2:]


def _split(text: Token, before: str) -> Iterator[Token]:
    """Part a text at its mentions. What stands before it may make an address of its start."""
    content, done = before + text.content, len(before)
    for start, end, handle in _mentions_in(content, done):
        yield Token("text", "", 0, content=content[done:start], level=text.level)
        yield Token("mention", "", 0, content=content[start:end], info=handle)
        done = end
    yield Token("text", "", 0, content=content[done:], level=text.level)


def _mentions_in(text: str, begin: int = 0) -> Iterator[tuple[int, int, str]]:
    """Where each mention starts and ends, and whom it names."""
    for match in _MENTION.finditer(text, begin):
        handle = match[1].rstrip("._-")
        if len(handle) <= MAX_HANDLE:
            yield match.start(), match.start(1) + len(handle), handle.lower()


def _mention(text: str, handle: str) -> str:
    return f'<span class="mention" data-handle="{handle}">{text}</span>'


def _render_mention(_: Any, tokens: Sequence[Token], index: int, *__: object) -> str:
    return _mention(tokens[index].content, tokens[index].info)


def _room(state: StateInline, silent: bool) -> bool:
    """`<#5>` links to room 5: the page names it to who is in it, others learn nothing."""
    match = _ROOM.match(state.src, state.pos)
    if match is None or state.linkLevel:
        return False
    if not silent:
        token = state.push("room", "", 0)
        token.content, token.info = f"#room-{match[1]}", match[1]
    state.pos = match.end()
    return True


def _render_room(_: Any, tokens: Sequence[Token], index: int, *__: object) -> str:
    pk, name = tokens[index].info, tokens[index].content
    return f'<a class="room-link" href="/rooms/{pk}/" data-room="{pk}">{name}</a>'


def _render_fence(_: Any, tokens: Sequence[Token], index: int, *__: object) -> str:
    token = tokens[index]
    language = token.info.strip().split(maxsplit=1)[0].lower() if token.info.strip() else ""
    if language not in LANGUAGES or not token.meta.get("highlighted"):
        return f"<pre><code>{escapeHtml(token.content)}</code></pre>\n"
    code = highlight(token.content, get_lexer_by_name(language, stripnl=False), _FORMATTER)
    return f'<pre class="highlight" data-language="{language}"><code>{code}</code></pre>\n'


def _choose_highlighted(state: StateCore) -> None:
    left = MAX_HIGHLIGHTED
    for token in state.tokens:
        if token.type == "fence":
            left -= len(token.content)
            token.meta["highlighted"] = left >= 0


def _markdown() -> MarkdownIt:
    options = {"linkify": True, "breaks": True, "maxNesting": MAX_NESTING}
    markdown = _Markdown("js-default", options)
    # A line of dashes under a sentence makes no heading of it, and "[a]: b" does not vanish.
    markdown.disable(["lheading", "reference"])
    markdown.block.ruler.at("table", _bounded_table, {"alt": ["paragraph"]})
    markdown.inline.ruler.at("link", _bounded_link)
    markdown.inline.ruler.at("linkify", _bounded_url)
    markdown.inline.ruler.at("image", _image_as_link)
    markdown.inline.ruler.before("autolink", "room", _room)
    markdown.core.ruler.after("block", "count_link_signs", _count_link_signs)
    markdown.core.ruler.after("block", "choose_highlighted", _choose_highlighted)
    markdown.core.ruler.after("block", "tick_off", _tick_off)
    markdown.core.ruler.after("block", "align_by_class", _align_by_class)
    markdown.core.ruler.at("linkify", _linkify_what_may_hold_links)
    # Before "text_join", while an escaped "\@" is still a token of its own.
    markdown.core.ruler.after("linkify", "find_mentions", _find_mentions)
    markdown.add_render_rule("mention", _render_mention)
    markdown.add_render_rule("room", _render_room)
    markdown.add_render_rule("fence", _render_fence)
    markdown.linkify = LinkifyIt().tlds(BARE_DOMAINS)
    return markdown


_FORMATTER: Final = HtmlFormatter[str](nowrap=True)
_MARKDOWN: Final = _markdown()
_PLAIN: Final = MarkdownIt("zero", {"breaks": True}).enable("newline")
