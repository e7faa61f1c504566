"""Clusters that cannot be joined: a sentence, from what Ray says of them."""

import platform

import pytest
import ray
from ray._private.utils import check_version_info

from capacity.cluster.connection import _other_versions


@pytest.mark.parametrize(
    ("ray_", "python"), [("2.58.0", "3.11.0"), (ray.__version__, "3.12.1"), ("3.0.0", "3.13.2")]
)
def test_another_version_of_ray_or_python_is_told_with_both(ray_, python):
    cluster = {"ray_version": ray_, "python_version": python}
    with pytest.raises(RuntimeError) as stop:
        check_version_info(cluster, "node 10.0.0.1:6379")
    said = _other_versions(" ".join(str(stop.value).split()))
    own = f"Ray {ray.__version__} and Python {platform.python_version()}"
    assert f"the cluster has Ray {ray_} and Python {python}, this process has {own}:" in said
    assert "pip install" in said


def test_what_is_no_difference_of_versions_is_not_called_one():
    assert _other_versions("Could not connect to Ray: 2.60.0 Python: 3.11.7") == ""
