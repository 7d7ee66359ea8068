"""Why the demo cannot go on."""


class DemoFailed(Exception):
    """The message is one sentence for whoever started the demo; `last_words` are the last lines of a program's log."""

    def __init__(self, message: str, last_words: str = "") -> None:
        super().__init__(message)
        self.last_words = last_words
