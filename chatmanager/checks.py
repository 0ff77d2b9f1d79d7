"""Mistakes in the settings, each told in a sentence that says what to do."""
