"""What rendering a message costs: ordinary ones, and the worst that people of ill will may post.

`python -m benchmarks.markdown [--stock]`, where `--stock` renders the same with an unbounded parser
of the same rules, which takes half a minute.
"""

import argparse
import time

from markdown_it import MarkdownIt

from messages.markdown import excerpt, render

LENGTH = 16_000

ORDINARY = {
    "a sentence": "Shall we meet at noon? I have the figures of last week with me.",
    "a mention, a link, some stress": "@ben see https://example.org/a?b=c, it **is** `true`",
    "three lines": "first\nsecond\nthird",
    "a list": "To do:\n\n- one\n- two\n- three",
    "a table": "|a|b|\n|-|-|\n|1|2|\n|3|4|",
    "twenty lines of Python": "```python\n" + "def f(x): return x + 1  # so\n" * 20 + "```",
}
WORST = {
    "[ 16,000 times": "[" * LENGTH,
    "![": "![" * LENGTH,
    "[a][": "[a][" * LENGTH,
    "[[ and then ]]": "[[" * 4_000 + "]]" * 4_000,
    "://": "://" * LENGTH,
    "one word of host names": "www._?" + "1.|" * LENGTH,
    "many words of host names": ("www._?" + "1.|" * 64 + " ") * 80,
    "e-mail addresses, a line each": "a@b.com\n" * LENGTH,
    "host names, a line each": "?\nx.com" * LENGTH,
    "* 16,000 times": "*" * LENGTH,
    "*a **b": "*a **b " * LENGTH,
    "_a __b": "_a __b " * LENGTH,
    "` 16,000 times": "`" * LENGTH,
    "` in runs of all lengths": "".join("a" + "`" * n for n in range(1, 178)),
    "< 16,000 times": "<" * LENGTH,
    "> 16,000 times": ">" * LENGTH,
    "quotes, one deeper a line": "\n".join(">" * n + "a" for n in range(178)),
    "lists, one deeper a line": "\n".join("  " * n + "- a" for n in range(125)),
    "a table of short rows": "|".join("a" * 100)
    + "\n"
    + "|".join("-" * 100)
    + "\n"
    + "a\n" * LENGTH,
    "a line feed a letter": "a\n" * LENGTH,
    "java, as much as is highlighted": "```java\n" + "a\n" * 1_990 + "```",
    "typescript, the same": "```ts\n" + "a." * 1_990 + "\n```",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.markdown")
    parser.add_argument("--stock", action="store_true", help="beside an unbounded parser")
    stock = parser.parse_args().stock
    print(f"{'':34}{'render':>10}{'excerpt':>10}{'HTML':>12}{'stock' if stock else '':>10}")
    for name, source in ORDINARY.items():
        show(name, source, times=500, unit="µs", stock=False)
    print()
    for name, source in WORST.items():
        show(name, source[:LENGTH], times=3, unit="ms", stock=stock)


def show(name: str, source: str, *, times: int, unit: str, stock: bool) -> None:
    scale = {"µs": 1e6, "ms": 1e3}[unit]
    ours, short = (fastest(f, source, times) * scale for f in (render, excerpt))
    theirs = f"{fastest(unbounded, source, 1) * scale:>7,.0f} {unit}" if stock else ""
    html = f"{len(render(source).html):,}"
    print(f"{name:34}{ours:>7,.1f} {unit}{short:>7,.1f} {unit}{html:>12}{theirs}")


def fastest(function, source: str, times: int) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        function(source)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def unbounded(source: str) -> str:
    return str(MarkdownIt("js-default", {"linkify": True, "breaks": True}).render(source))


if __name__ == "__main__":
    main()
