import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messages import markdown
from messages.markdown import excerpt, render

# What a rendered message may be made of, written down a second time: the test would not notice a
# hole in the sanitiser if it took the sanitiser's own lists.
ALLOWED = {
    "a": {
        "href": r"(?i:https?://|mailto:).*|/rooms/[1-9][0-9]*/",
        "title": r".*",
        "rel": "noopener nofollow ugc",
        "class": "room-link",
        "data-room": r"[1-9][0-9]*",
    },
    "blockquote": {},
    "br": {},
    "code": {},
    "em": {},
    **{f"h{level}": {} for level in range(1, 7)},
    "hr": {},
    "li": {},
    "ol": {"start": r"\d+"},
    "p": {},
    "pre": {"class": "highlight", "data-language": r"[a-z]+"},
    "s": {},
    "span": {
        "class": r"mention|[a-z]{1,3}[0-9]?",
        "data-handle": r"[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?",
    },
    "strong": {},
    "table": {},
    "tbody": {},
    "td": {"class": "align-(left|center|right)"},
    "th": {"class": "align-(left|center|right)"},
    "thead": {},
    "tr": {},
    "ul": {},
}  # fmt: skip

LONGEST = 16_000
ORDINARY = (
    "## Plan\n\nTalk to **Ada**, then `run` it: see [the page](https://x.org/a).\n\n"
    "- one *thing*\n- another, @ben\n\n"
) * 160
# The worst takes 12 times what an ordinary message of the same length does; those that the bounds
# are for took 22 to 340 times that without them.
MOST_TIMES_ORDINARY = 18


class Checker(HTMLParser):
    """Fails on any tag, attribute or value that is not allowed, and gathers the text."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert tag in ALLOWED, f"<{tag}>"
        self.tags.append(tag)
        for name, value in attrs:
            assert name in ALLOWED[tag], f"<{tag} {name}>"
            assert re.fullmatch(ALLOWED[tag][name], value, re.DOTALL), f"<{tag} {name}={value!r}>"
        if tag == "a":
            assert dict(attrs).get("rel") == "noopener nofollow ugc"

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"<!--{data}-->")

    handle_decl = handle_pi = unknown_decl = handle_comment


def checked(source: str) -> Checker:
    checker = Checker()
    checker.feed(render(source).html)
    checker.close()
    return checker


# What people write


MESSAGE_LINK = '<p><a href="/messages/12/" rel="noopener nofollow ugc">x</a></p>\n'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("hello", "<p>hello</p>\n"),
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>\n"),
        ("**a** *b* ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("[x](</messages/12/>)", MESSAGE_LINK),
        ("## a", "<h2>a</h2>\n"),
        ("- [x] a\n- [ ] b", "<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>\n"),
        ("- a [x] b\n- [y] c", "<ul>\n<li>a [x] b</li>\n<li>[y] c</li>\n</ul>\n"),
        ("[ ] a", "<p>[ ] a</p>\n"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("snake_case_name", "<p>snake_case_name</p>\n"),
        ("a sentence\n---", "<p>a sentence</p>\n<hr>\n"),
        ("[a]: https://x.org", None),
        ("```\n<b> @ben\n```", "<pre><code>&lt;b&gt; @ben\n</code></pre>\n"),
        ("```klingon\nx\n```", "<pre><code>x\n</code></pre>\n"),
        ("", ""),
    ],
)
def test_markdown_becomes_html(source, html):
    if html is None:
        assert "[a]:" in checked(source).text
    else:
        assert render(source).html == html


def test_a_table_is_aligned_by_class():
    html = render("|a|b|\n|:-:|-|\n|1|2|").html
    assert '<th class="align-center">a</th>\n<th>b</th>' in html
    assert "style" not in html


def test_code_of_a_known_language_is_highlighted_by_class():
    html = render("```python\ndef f(): pass\n```").html
    assert '<pre class="highlight" data-language="python"><code><span class="k">def</span>' in html


def test_every_highlighted_language_exists():
    for language in markdown.LANGUAGES:
        checked(f"```{language}\nx = 1 # <b>\n```")
        assert f'data-language="{language}"' in render(f"```{language}\nx\n```").html


def test_only_so_much_code_is_highlighted():
    line = "x = 1\n"
    fits = line * (markdown.MAX_HIGHLIGHTED // len(line))
    assert "<span" in render(f"```py\n{fits}```").html
    html = render(f"```py\n{fits}```\n\n```py\n{fits}```").html
    assert html.count("data-language") == 1


@pytest.mark.parametrize(
    ("source", "href"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("see example.org.", "http://example.org"),
        ("[x](https://example.org 'title')", "https://example.org"),
        ("<https://example.org>", "https://example.org"),
        ("ben@example.org", "mailto:ben@example.org"),
        ("HTTPS://EXAMPLE.ORG", "HTTPS://EXAMPLE.ORG"),
        ("![a cat](https://example.org/cat.png)", "https://example.org/cat.png"),
    ],
)
def test_links_are_marked_as_written_by_users(source, href):
    html = render(source).html
    assert 'rel="noopener nofollow ugc"' in html
    assert f'href="{href}"' in html
    checked(source)


@pytest.mark.parametrize("source", ["main.py", "notes.md", "run.sh", "e.g. this", "1.5", "a.b"])
def test_file_names_are_no_links(source):
    assert "a" not in checked(source).tags


def test_an_image_is_a_link_to_it():
    checker = checked("![a cat](https://example.org/cat.png)")
    assert checker.tags == ["p", "a"]
    assert checker.text.strip() == "a cat"


# Mentions


@pytest.mark.parametrize(
    ("source", "mentions"),
    [
        ("@ben", {"ben"}),
        ("hello @ben.", {"ben"}),
        ("(@ben, @Cleo: @here!)", {"ben", "cleo", "here"}),
        ("@everyone and @robots", {"everyone", "robots"}),
        ("@a.b_c-d...", {"a.b_c-d"}),
        ("@ben's", {"ben"}),
        ("**@ben** _@ada_ ~~@cleo~~", {"ben", "ada", "cleo"}),
        ("- @ben\n\n# @ada\n\n|a|\n|-|\n|@cleo|", {"ben", "ada", "cleo"}),
        ("[@ben](https://x.org/@ada)", {"ben"}),
        ("> @ben\n\n@ada", {"ada"}),
        ("> > - @ben", set()),
        ("`@ben` ``@ada``", set()),
        ("```\n@ben\n```", set()),
        ("~~~ @ben\nx\n~~~", set()),
        ("    @ben", set()),
        ("ben@example.org", set()),
        ("b.e.n-@example.org", set()),
        ("ben\\_@example.org", set()),
        ("@ben@example.social", set()),
        ("https://example.org/@ben", set()),
        ("<https://example.org/@ben>", set()),
        ("example.org/@ben", set()),
        ("https://example.org/?to=@ben <https://example.org/?to=@ada>", set()),
        ("\\@ben &#64;ada", set()),
        ("@@ben", set()),
        ("@_ben @.ben @-", set()),
        ("@bené @été", set()),
        ("@" + "a" * 32, {"a" * 32}),
        ("@" + "a" * 33, set()),
        ("@" + "a" * 20 + "." + "b" * 20, set()),
        ("@\u212aate \u017f@ben", set()),  # KELVIN SIGN and LONG S match [a-z] when case is ignored
    ],
)
def test_mentions_are_parsed_from_the_tree(source, mentions):
    assert render(source).mentions == mentions
    assert render(source).html.count('class="mention"') == len(mentions)


def test_a_mention_is_the_same_for_every_reader():
    lit_up = '<span class="mention" data-handle="ben">@Ben</span>'
    assert render("Hi @Ben.").html == f"<p>Hi {lit_up}.</p>\n"


def test_a_room_is_a_link_that_does_not_tell_its_name():
    link = '<a class="room-link" href="/rooms/5/" data-room="5" rel="noopener nofollow ugc">'
    assert render("See <#5>.").html == f"<p>See {link}#room-5</a>.</p>\n"
    assert excerpt("See <#5>.") == "See #room-5."


@pytest.mark.parametrize(
    "source", ["`<#5>`", "<#0>", "<#-1>", "<#5", "#5", "<#x>", "<#٥>", "```\n<#5>\n```"]
)
def test_what_is_no_room_is_shown_as_written(source):
    assert "<a" not in render(source).html


def test_a_room_within_a_link_makes_no_second_link():
    assert checked("[to <#5>](https://x.org)").tags.count("a") == 1


# Injection


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<ScRiPt src=//evil.org>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<svg><animate onbegin=alert(1)>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<style>body{display:none}</style>",
        "<p style='position:fixed'>x</p>",
        "<form action=//evil.org><input name=password>",
        "<base href=//evil.org><meta http-equiv=refresh content=0>",
        "<!-- --><object data=x><embed src=x>",
        "<a href=javascript:alert(1)>x</a>",
        "</p></div></article><h1>x",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](java&Tab;script:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](<java\nscript:alert(1)>)",
        "[x](\x01javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](data:image/svg+xml,<svg onload=alert(1)>)",
        "![x](data:image/png;base64,AAAA)",
        "[x](vbscript:msgbox(1))",
        "[x](file:///etc/passwd)",
        "[x](//evil.org)",
        "[x](/logout/)",
        "[x](/messages/1/../../logout/)",
        "[x](/messages//evil.org/)",
        "[x](/messages/1/edit/)",
        "[x](?next=/)",
        "[x](feed:javascript:alert(1))",
        "<javascript:alert(1)>",
        "<data:text/html,x>",
        "javascript://example.org/%0aalert(1)",
        "[x](https://x.org 'a\" onmouseover=\"alert(1)')",
        '[x](https://x.org/"onmouseover="alert(1))',
        "![\" onerror=alert(1) x=\"](https://x.org/a.png)",
        "```\" onload=\"alert(1)\nx\n```",
        "```python style=x onclick=y\nx\n```",
        "```html\n<script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```",
        "`</code><script>alert(1)</script>`",
        "|<script>|\n|:-|\n|<img src=x onerror=alert(1)>|",
        "@ben\"onclick=alert(1)",
        "<span class=mention data-handle=ben onclick=x>@ben</span>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)  # fmt: skip
def test_injection_stays_text(source):
    checker = checked(source)
    assert checker.text.strip()
    for href in re.findall(r'href="([^"]*)"', render(source).html):
        assert href.startswith(("http://", "https://", "mailto:"))


def test_raw_html_is_shown_as_written():
    assert checked("<b onclick=x>hi</b>").text.strip() == "<b onclick=x>hi</b>"


def test_bidi_controls_stay_text():
    text = "a\u202eb\u2066c\u200fd"
    assert checked(f"{text} **{text}**").text.strip() == f"{text} {text}"


def test_nul_and_lone_surrogates_are_replaced():
    assert render("a\0b\ud800c").html == "<p>a\ufffdb\ufffdc</p>\n"


# Bounds

PATHOLOGICAL = {
    "brackets": "[" * 16_000,
    "images": "![" * 8_000,
    "reference links": "[a][" * 4_000,
    "closed brackets": "[[" * 4_000 + "]]" * 4_000,
    "nested images": "![" * 2_000 + "](https://x.org)" * 900,
    "nested images within the bound": "![" * 390 + "](https://x.org)" * 390,
    "schemes": "://" * 5_333,
    "host names in a word": "www._?" + "1.|" * 5_300,
    "host names in words": ("www._?" + "1.|" * 64 + " ") * 80,
    "stars": "*" * 16_000,
    "stars and letters": "*a **b " * 2_280,
    "underscores": "_" * 16_000,
    "underscores and letters": "_a __b " * 2_280,
    "backticks": "`" * 16_000,
    "backtick runs": "".join("a" + "`" * n for n in range(1, 178)),
    "less than": "<" * 16_000,
    "comments": "<!--" * 4_000,
    "quotes": ">" * 16_000,
    "quotes, a step a line": "\n".join(">" * n + "a" for n in range(170)),
    "lists": "- " * 7_999 + "a",
    "lists, a step a line": "\n".join("  " * n + "- a" for n in range(120)),
    "tildes": "~~a " * 4_000,
    "at signs": "@" * 16_000,
    "a long handle": "@" + "a." * 8_000,
    "addresses": "a@b.com " * 2_000,
    "hosts": "a.com " * 2_666,
    "entities": "&#1" * 5_333,
    "wide table": "|".join("a" * 100) + "\n" + "|".join("-" * 100) + "\n" + "a\n" * 7_700,
    "long table": "a|b\n-|-\n" + "a\n" * 7_900,
    "line feeds": "a\n" * 8_000,
    "NUL": "\0" * 16_000,
    "java": "```java\n" + "a\n" * 1_990 + "```",
    "typescript": "```ts\n" + "a." * 1_990 + "\n```",
    "c": "```c\n" + " \n" * 1_990 + "```",
    "python": "```python\n" + " \n" * 1_990 + "```",
    "too much java": "```java\n" + "a\n" * 7_900 + "```",
}


@pytest.mark.parametrize("source", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_odd_input_is_bounded(source):
    source = source[:LONGEST]
    assert any(times_ordinary(source) < MOST_TIMES_ORDINARY for _ in range(5))
    assert len(render(source).html) <= markdown.MAX_HTML
    checked(source)


def times_ordinary(source: str) -> float:
    """One is rendered right after the other: what slows the machine down slows down both."""
    return seconds_to_render(source) / seconds_to_render(ORDINARY[:LONGEST])


def seconds_to_render(source: str) -> float:
    started = time.process_time()
    render(source)
    return time.process_time() - started


def test_too_many_links_stay_text():
    linked = "[a](https://x.org) " * (markdown.MAX_LINK_SIGNS // 2)
    assert "a" in checked(linked).tags
    checker = checked(linked + "[b](https://x.org) **c** @ben")
    assert "a" not in checker.tags
    assert "strong" in checker.tags
    assert render(linked + "[" + " @ben").mentions == {"ben"}


def test_brackets_in_code_count_for_nothing():
    code = "[" * 2 * markdown.MAX_LINK_SIGNS
    assert "a" in checked(f"```\n{code}\n```\n\n[x](https://x.org)").tags


def test_a_full_url_is_a_link_beside_a_long_word():
    assert "a" in checked("x" * 500 + " https://example.org").tags


def test_what_is_nested_too_deep_is_shown_as_text():
    source = "> " * 30 + "the point"
    assert checked(source).text.strip().endswith("the point")
    assert checked(source).tags == ["p"]


def test_what_would_be_too_large_is_shown_as_text():
    head = "|".join("a" * 50) + "\n" + "|".join([":-:"] * 50) + "\n"
    assert "table" in checked(head + "b\n" * 100).tags
    assert set(checked(head + "b\n" * 190).tags) == {"p", "br"}


def test_a_table_of_too_many_cells_is_shown_as_text():
    head = "|".join("a" * 50) + "\n" + "|".join(["-"] * 50) + "\n"
    assert "table" in checked(head + "b\n" * 150).tags
    assert "table" not in checked(head + "b\n" * 250).tags


# Properties

PIECES = st.sampled_from([
    "[", "]", "(", ")", "![", "](", "*", "**", "_", "`", "```", "~~~", "~~", "<", ">", "|", "-",
    "+", "#", "\\", "&", "&#58;", ";", ":", "//", "http://", "https://x.org/", "mailto:",
    "javascript:", "data:", "<#5>", "@", "@ben", "@here", "a@b.org", "www.x.org", "<script>",
    "<img onerror=x>", "</p>", '"', "'", "=", "/", "?", "\0", "\u202e", "a", "b", "1.", "é", "😀",
    "|-|", "```python", "```html style=x", "onclick=y", "<!--", "]]>", "<?", "\n", "\n\n", " ",
    "    ", "\t", "- ", "> ", "1. ", "\r\n", "\u2028",
])  # fmt: skip
SOURCES = st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join)


@settings(max_examples=200)
@given(SOURCES)
def test_html_holds_nothing_but_what_is_allowed(source):
    checked(source)


@settings(max_examples=200)
@given(SOURCES)
def test_mentions_are_those_that_light_up(source):
    rendered = render(source)
    assert rendered.mentions == set(re.findall(r'data-handle="([^"]*)"', rendered.html))


WORDS = st.sampled_from([
    "hi", "é", "a_b", "_b_", "x.", "x.com", "mailto:", "mailto:.@b", "//b", "a/b", "@ben", "@ben.",
    "@Ada_x-y:", "a@b", "@ben@x", "@@", "é@ben", "@" + "a" * 33, "(yes!)", "C#", "1.", "-", "*b*",
    "so:", '"q"', "it's", "{x}", "^", "…", "a&b", "",
])  # fmt: skip
LINES = st.lists(st.lists(WORDS, max_size=4).map(" ".join), max_size=3).map("\n".join)


@settings(max_examples=1_000)
@given(LINES)
def test_prose_takes_a_short_cut_to_the_same(source):
    if markdown._PROSE.fullmatch(source):
        tokens = markdown._parse(source)
        html, mentions = markdown._html(tokens), set(markdown._handles(tokens))
        assert render(source) == markdown.Rendered(html, frozenset(mentions))


@pytest.mark.parametrize("source", ["Hi.", "@ben, é: so? (yes!)", "one\ntwo @ben\nthree"])
def test_prose_is_taken_for_prose(source):
    assert markdown._PROSE.fullmatch(source)


@pytest.mark.parametrize(
    "source",
    [
        "1. a",
        "- a",
        "a *b*",
        "a _b_",
        "a\n- b",
        "x.com",
        "http:a",
        "a&amp;",
        "a  \nb",
        "`a`",
        "a|b",
    ],
)
def test_other_things_are_not(source):
    assert not markdown._PROSE.fullmatch(source)


# Excerpts


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("hello", "hello"),
        ("**bold** _and_ `code`", "bold and code"),
        ("one\ntwo\n\n- three\n- four", "one two three four"),
        ("[text](https://x.org) @ben", "text @ben"),
        ("![cat](https://x.org/cat.png)", "cat"),
        ("```py\nx = 1\n```", "x = 1"),
        ("<b>&amp;", "<b>&"),
        ("", ""),
    ],
)
def test_an_excerpt_is_one_line_of_text(source, text):
    assert excerpt(source) == text


def test_a_long_excerpt_ends_after_a_word():
    text = excerpt("word " * 100, length=20)
    assert text == "word word word…"


@settings(max_examples=200)
@given(SOURCES, st.integers(min_value=2, max_value=60))
def test_an_excerpt_is_never_longer_than_asked(source, length):
    text = excerpt(source, length)
    assert len(text) <= length
    assert "\n" not in text
