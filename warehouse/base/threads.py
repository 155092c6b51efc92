"""Work on all threads with results in order, and never more of them waiting than a few per thread."""

from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
