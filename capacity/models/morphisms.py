"""Perceptrons that grow and still compute the same (Net2Net: Chen et al., 2016), or shrink."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from capacity.models.families import Architecture
from capacity.models.mlp import tapered
from capacity.models.model import ModelError, Params

Grown = tuple[Architecture, Params]


def hidden_widths(architecture: Architecture) -> tuple[int, ...]:
    """Units of each hidden layer of an mlp.

    Raises:
      ModelError: another family.
    """
    if architecture.family != "mlp":
        raise ModelError(f"{architecture.family}: only an mlp has hidden layers that can change")
    a = architecture
    return a.widths or tapered(int(a.width), a.depth or 2, a.taper)


def wider(
    parent: Architecture, params: Params, layer: int, units: int, key: Key[Array, ""]
) -> Grown:
    """The network with `units` in hidden layer `layer` that computes what it did.

    New units are copies of old ones, drawn at random, and what follows weighs a unit's copies by
    shares that add up to what it weighed the unit. Net2Net's shares are equal, which keeps copies
    equal for ever; these are drawn, so that they learn apart.

    Raises:
      ModelError: no mlp, not more units, or LayerNorm, whose mean and variance copies would change.
    """
    widths = hidden_widths(parent)
    _no_norm(parent, "a wider layer")
    if units <= widths[layer]:
        raise ModelError(f"hidden layer {layer} has {widths[layer]} units: {units} are not more")
    count = widths[layer]
    drawn, shared = jax.random.split(key)
    copies = jax.random.randint(drawn, (units - count,), 0, count)
    source = jnp.concatenate([jnp.arange(count), copies])
    raw = jax.random.uniform(shared, (units,), minval=0.5, maxval=1.5)
    share = raw / jax.ops.segment_sum(raw, source, count)[source]
    own, used = f"layers/{layer}", _following(layer, widths)
    grown = params | {
        f"{own}/kernel": params[f"{own}/kernel"][:, source],
        f"{own}/bias": params[f"{own}/bias"][source],
        f"{used}/kernel": params[f"{used}/kernel"][source] * share[:, None],
    }
    return _with(parent, (*widths[:layer], units, *widths[layer + 1 :])), grown


def deeper(parent: Architecture, params: Params, layer: int) -> Grown:
    """The network with a new layer behind hidden layer `layer` that computes what it did.

    The new layer is as wide and hands on what it gets, which relu leaves as it is.

    Raises:
      ModelError: no mlp, another non-linearity than relu, or LayerNorm.
    """
    widths = hidden_widths(parent)
    _no_norm(parent, "a new layer")
    if parent.activation != "relu":
        raise ModelError(
            f"{parent.activation}: a new layer hands on what it gets only behind a relu"
        )
    moved = {_shifted(name, layer): leaf for name, leaf in params.items()}
    moved[f"layers/{layer + 1}/kernel"] = jnp.eye(widths[layer], dtype=jnp.float32)
    moved[f"layers/{layer + 1}/bias"] = jnp.zeros(widths[layer], jnp.float32)
    grown = _with(parent, (*widths[: layer + 1], widths[layer], *widths[layer + 1 :]))
    return grown, moved


def inherited(
    parent: Architecture, params: Params, child: Architecture, key: Key[Array, ""]
) -> Params:
    """Weights for `child` by the network of `parent`: the same function where it only grew.

    Layers are added or taken away behind the last one; a layer that is narrower keeps the units
    that matter most to what follows (by the product of the norms of their weights, in and out), and
    of a layer that goes its map is merged into the output's, as if it were linear.

    Raises:
      ModelError: what `wider` and `deeper` raise, or the two differ in more than their widths.
    """
    widths = hidden_widths(child)
    if _with(parent, widths) != _with(child, widths):
        raise ModelError("parent and child differ in more than their widths: nothing is inherited")
    now = _with(parent, hidden_widths(parent))
    while len(now.widths or ()) > len(widths):
        now, params = _shallower(now, params)
    while len(now.widths or ()) < len(widths):
        now, params = deeper(now, params, len(now.widths or ()) - 1)
    for layer, units in enumerate(widths):
        has = hidden_widths(now)[layer]
        if has < units:
            now, params = wider(now, params, layer, units, jax.random.fold_in(key, layer))
        elif has > units:
            _no_norm(now, "a narrower layer")
            now, params = _narrower(now, params, layer, units)
    return params


def _narrower(parent: Architecture, params: Params, layer: int, units: int) -> Grown:
    widths = hidden_widths(parent)
    own, used = f"layers/{layer}", _following(layer, widths)
    kernel, out = params[f"{own}/kernel"], params[f"{used}/kernel"]
    worth = _norm(kernel.T) * _norm(out)
    kept = jnp.sort(jnp.argsort(-worth)[:units])
    less = params | {
        f"{own}/kernel": kernel[:, kept],
        f"{own}/bias": params[f"{own}/bias"][kept],
        f"{used}/kernel": out[kept],
    }
    return _with(parent, (*widths[:layer], units, *widths[layer + 1 :])), less


def _shallower(parent: Architecture, params: Params) -> Grown:
    _no_norm(parent, "a layer less")
    widths = hidden_widths(parent)
    last = f"layers/{len(widths) - 1}"
    out = params["output/kernel"]
    kept = {name: leaf for name, leaf in params.items() if not name.startswith(f"{last}/")}
    kept["output/kernel"] = params[f"{last}/kernel"] @ out
    kept["output/bias"] = params[f"{last}/bias"] @ out + params["output/bias"]
    return _with(parent, widths[:-1]), kept


def _with(architecture: Architecture, widths: tuple[int, ...]) -> Architecture:
    """The architecture with these widths, said in one way only."""
    return architecture._replace(
        widths=widths, width=float(widths[0]), depth=len(widths), taper=1.0
    )


def _following(layer: int, widths: tuple[int, ...]) -> str:
    return f"layers/{layer + 1}" if layer + 1 < len(widths) else "output"


def _shifted(name: str, layer: int) -> str:
    section, _, rest = name.partition("/")
    number, _, leaf = rest.partition("/")
    if section == "layers" and int(number) > layer:
        return f"layers/{int(number) + 1}/{leaf}"
    return name


def _norm(rows: Float[Array, "units weights"]) -> Float[Array, " units"]:
    return jnp.sqrt(jnp.sum(jnp.square(rows), axis=1))


def _no_norm(architecture: Architecture, what: str) -> None:
    if architecture.layer_norm:
        raise ModelError(
            f"layer_norm: {what} would change the mean and variance that it divides by"
        )
