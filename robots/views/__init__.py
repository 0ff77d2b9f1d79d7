"""The pages of robots: what there are, where they sit, what people do about their answers."""
