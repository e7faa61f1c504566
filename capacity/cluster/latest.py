"""Names of which the latest stay, so that what is kept of each does not grow with a sweep."""


class Latest:
    """The last `most` names that were added."""

    def __init__(self, most: int):
        self._most = most
        self._names: dict[str, None] = {}

    def add(self, name: str) -> str | None:
        """Adds a name, and gives the one that goes for it."""
        self._names[name] = None
        if len(self._names) <= self._most:
            return None
        oldest = next(iter(self._names))
        del self._names[oldest]
        return oldest
