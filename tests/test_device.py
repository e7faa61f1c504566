"""What a process takes of its machine."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

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


def test_workers_that_share_a_device_leave_room_beside_their_own_memory(monkeypatch):
    monkeypatch.delenv("XLA_PYTHON_CLIENT_MEM_FRACTION", raising=False)
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
    quarter = device.environment(1, 0.25)
    assert 4 * float(quarter["XLA_PYTHON_CLIENT_MEM_FRACTION"]) < 0.9
    assert quarter["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in device.environment(1, 1)


@pytest.mark.parametrize(("flag", "platforms"), [("--dry-run", "cpu"), ("--help", "None")])
def test_who_plans_for_devices_takes_nothing_of_them(flag, platforms):
    code = f"""
import jax
from capacity import sweep
try:
    sweep.main(["configs/digits.yaml", "resources.gpus=0.5", "{flag}"])
except SystemExit:
    pass
print(jax.config.jax_platforms)
"""
    own = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    said = subprocess.run(
        [sys.executable, "-c", code], env=own, capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines()[-1] == platforms
