"""The API of messages: what was said, what was read, what was sent along."""
