"""Parts that many configurations have in common, as one object each."""

from typing import Any


class Alike:
    """Of equal parts of configurations one and the same object, with some settings put aside.

    A grid has a hundred thousand configurations of a few thousand sections: a section is copied and
    compared the first time it is seen.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple, tuple[Any, Any]] = {}
        self._one: dict[Any, Any] = {}

    def __call__(self, part: Any, **aside: Any) -> Any:
        """The one that stands for `part` with the settings `aside` in place of its own."""
        key = (id(part), *aside.items())
        if key not in self._seen:
            plain = part.model_copy(update=aside) if aside else part
            # The part is kept with it, so that no other can get its identity.
            self._seen[key] = (part, self._one.setdefault((type(plain), plain), plain))
        return self._seen[key][1]
