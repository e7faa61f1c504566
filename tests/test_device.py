"""What a process takes of its machine."""

import jax
import jax.numpy as jnp

from capacity import device


def test_compiled_programs_are_dropped_when_they_hold_too_many_mappings():
    grown = jax.jit(lambda x: x + 1)
    grown(jnp.ones(3))
    assert not device.make_room(share=1.0)
    assert grown._cache_size() == 1
    assert device.make_room(share=0.0)
    assert grown._cache_size() == 0
    assert grown(jnp.ones(3)).tolist() == [2, 2, 2]


def test_where_mappings_cannot_be_counted_nothing_is_dropped(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "_MAPPINGS", (tmp_path / "maps", tmp_path / "limit"))
    assert not device.make_room(share=0.0)
