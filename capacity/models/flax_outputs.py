"""What the layers of anyone's Flax NNX module put out, without hooks and without changing it."""

import jax
from flax import nnx
from jaxtyping import Array, Float

from capacity.models.model import Model
from capacity.models.taps import tapped


def kernel_outputs(module: nnx.Module, x: Float[Array, "batch ..."]) -> dict[str, Array]:
    """Products of every layer with its `kernel`, [batch, ..., out], before bias and non-linearity.

    By the path of the layer in the module, as `layers/0`; read off the module's own computation,
    so that it may be called inside `jax.jit` and `jax.vmap`. For `saturation.track`.
    """
    graph, state = nnx.split(module)
    variables = {"/".join(map(str, path)): (path, leaf) for path, leaf in nnx.to_flat_state(state)}
    params = {name: leaf.get_value() for name, (_, leaf) in variables.items()}

    def apply(params: dict[str, Array], x: Array) -> tuple[Array, dict[str, Array]]:
        leaves = [(path, leaf.replace(params[n])) for n, (path, leaf) in variables.items()]
        called = nnx.merge(graph, nnx.from_flat_state(leaves))
        return jax.tree.leaves(called(x))[0], {}  # pyright: ignore[reportCallIssue]

    model = Model(lambda key: params, apply, x.shape[1:])
    found = tapped(model, params, x).outputs
    return {name.removesuffix("/kernel"): outputs for name, outputs in found.items()}
