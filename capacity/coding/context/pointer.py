"""Arrays as pointers, which compiled code hands on without counting references.

Numba counts an array in and out in every function that it is handed to, also where the function is
compiled into its caller: half of the time of a decision. A pointer has no shape, an index is taken
as it is, and whoever made the pointer keeps the array.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic


def _pointer(context: Any, array: Any) -> Any:
    """The first entry of a contiguous array."""

    def made(target, builder, signature, arguments):
        return target.make_array(signature.args[0])(target, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), made


pointer: Any = intrinsic(_pointer)
