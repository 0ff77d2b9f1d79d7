"""The API of robots: what they are, where they sit, what they answer."""
