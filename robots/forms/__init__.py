"""The forms of robots' pages. What is right and wrong is the verbs' to say."""
