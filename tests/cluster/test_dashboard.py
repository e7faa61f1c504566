"""The dashboard: a task per trial with its fate, a task and a line of a log per round."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.ray

PROGRAM = """
import json, os, time
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
from capacity import cluster
from capacity.config import Resources

def tasks(url):
    from ray.util.state import list_tasks
    return {task.name: task.state for task in list_tasks(url)}

with cluster.connected(None, Resources(), {}) as dashboard:
    for trial in ("sound", "bad", "long"):
        dashboard.begin(trial)
    dashboard.begin("long")
    dashboard.round("sound", "ticket", {"round": 0, "density": 1.0}, last=False)
    dashboard.round("sound", "ticket", {"round": 1, "density": 0.512345}, last=True)
    dashboard.failed("bad", "ValueError: no")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = tasks(dashboard.directions.partition("/#")[0])
        if len(found) == 6 and found.get("sound") == "FINISHED" and found.get("bad") == "FAILED":
            break
        time.sleep(0.5)
    print(json.dumps({"tasks": found, "directions": dashboard.directions}))
"""


@pytest.fixture(scope="module")
def shown():
    command = [sys.executable, "-c", PROGRAM]
    unset = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
    ended = subprocess.run(
        command, env=unset, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_trials_and_rounds_are_tasks_by_their_names(shown):
    assert shown["tasks"] == {
        "Trials.__init__": "FINISHED",
        "sound": "FINISHED",
        "sound ticket round=0 density=1": "FINISHED",
        "sound ticket round=1 density=0.5123": "FINISHED",
        "bad": "FAILED",
        "long": "RUNNING",
    }


def test_directions_lead_to_the_page_and_past_its_prompt(shown):
    assert shown["directions"].startswith("http://127.0.0.1:")
    assert "/#/actors/" in shown["directions"]
    assert "ray get-auth-token` prints)" in shown["directions"]
