"""The pages of messages: posting, one message and what can be done with it, sharing."""
