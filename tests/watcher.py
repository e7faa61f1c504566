"""A sweep of a Ray of its own, looked at while it runs: through its dashboard and its metrics."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from typing import Any

TOKEN = "0" * 64
ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN,
    "RAY_metrics_report_interval_ms": "2500",
}


class Dashboard:
    """The pages behind the dashboard, and what its nodes say to Prometheus."""

    def __init__(self, url: str):
        self.url = url

    def get(self, path: str, *, token: str = TOKEN) -> Any:
        """A page's text, or what its JSON holds."""
        return json.loads(self.text(path, token=token))

    def text(self, path: str, *, token: str = TOKEN) -> str:
        address = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def states(self, kind: str) -> list[dict[str, Any]]:
        """Of `actors`, `tasks`, `nodes`."""
        return self.get(f"/api/v0/{kind}?detail=true&limit=1000")["data"]["result"]["result"]

    def metrics(self) -> dict[tuple[str, str, str], float]:
        """Our samples by (name, trial, control), from all nodes that Prometheus would ask."""
        found = {}
        for group in self.get("/api/prometheus/sd"):
            for target in group["targets"]:
                with contextlib.suppress(OSError):
                    for line in self.text(f"http://{target}/metrics").splitlines():
                        if line.startswith("ray_capacity_"):
                            name, rest = line.split("{", 1)
                            tags, value = rest.rsplit("} ", 1)
                            labels = dict(re.findall(r'(\w+)="([^"]*)"', tags))
                            key = (name, labels.get("trial", ""), labels.get("control", ""))
                            found[key] = float(value)
        return found

    def settled_metrics(self) -> dict[tuple[str, str, str], float]:
        """The same once a round is among them and nothing changes: they come one by one."""

        def twice() -> dict | None:
            first = self.metrics()
            time.sleep(4)
            names = {name for name, _, _ in first}
            complete = {"ray_capacity_test_accuracy", "ray_capacity_trials_running"} <= names
            return first if complete and self.metrics() == first else None

        return until(twice)


def until(answer: Any, seconds: float = 60) -> Any:
    """What `answer` gives as soon as it gives anything."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if found := answer():
                return found
        time.sleep(0.1)
    raise AssertionError(f"nothing within {seconds} s")


@contextlib.contextmanager
def paused(command: list[str], cwd: Any) -> Any:
    """Runs `command` and stops its trials once a round is measured; gives process and dashboard.

    A tiny sweep would be over before it can be looked at. What it says is in `process.said`: lines
    while it runs, a text after it.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    workers, process.said = [], []
    said = process.said

    def line_with(words: str) -> str:
        while line := process.stderr.readline():
            said.append(line)
            if words in line:
                return line
        raise AssertionError("".join(said))

    try:
        dashboard = Dashboard(line_with("dashboard: ").split()[1].partition("/#")[0])
        workers = until(lambda: _workers(dashboard))
        line_with("round 0")
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        yield process, dashboard
    finally:
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)
        said += process.communicate(timeout=200)[1].splitlines(keepends=True)
        process.said = "".join(said)


def _workers(dashboard: Dashboard) -> list[int]:
    """The processes of both trials, once they have one."""
    actors = [a for a in dashboard.states("actors") if "PopulationTrial" in a["class_name"]]
    found = [actor["pid"] for actor in actors if actor["state"] == "ALIVE"]
    return found if len(found) == 2 else []
