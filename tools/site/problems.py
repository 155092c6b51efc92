"""What is wrong with the documentation: found all at once, told in lines."""


class Stale(Exception):
    """The documentation does not say what is: one line for each place."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
