"""Figures of answers for /metrics."""

from prometheus_client import Counter, Gauge, Histogram

RUNNING = Gauge("chat_replies_running", "Answers being written by this process.")
ENDED = Counter("chat_replies", "Answers that ended.", ["state"])
TOKENS = Counter("chat_reply_tokens", "Tokens that answers took.", ["direction"])
FIRST_WORD = Histogram(
    "chat_reply_first_word_seconds",
    "From the question to the first word of its answer.",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60),
)
