"""The Grafana dashboard: it asks for what sweeps report, in the shape that Grafana imports."""

import json
import re
from pathlib import Path

import pytest

from capacity.cluster.metrics import COUNTERS, GAUGES

FILE = Path(__file__).parents[2] / "sweeps/grafana/capacity.json"


@pytest.fixture(scope="module")
def board():
    return json.loads(FILE.read_text())


def exposed():
    """Every metric as Prometheus has it, and its tags."""
    gauges = {f"ray_{name}": set(tags) for name, (tags, _) in GAUGES.items()}
    return gauges | {f"ray_{name}_total": set(tags) for name, (tags, _) in COUNTERS.items()}


def expressions(board):
    queries = [v["definition"] for v in board["templating"]["list"] if v["type"] == "query"]
    return queries + [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_every_metric_that_it_asks_for_exists_and_each_is_asked_for(board):
    asked = set(re.findall(r"ray_\w+", " ".join(expressions(board))))
    assert asked == set(exposed())


def test_it_selects_and_groups_by_tags_that_the_metric_has(board):
    for expression in expressions(board):
        (name,) = re.findall(r"ray_\w+", expression)
        selected = re.findall(r'(\w+)=~"\$\w+"', expression)
        grouped = [w for by in re.findall(r"by \(([^)]*)\)", expression) for w in by.split(", ")]
        assert {*selected, *grouped} <= exposed()[name], expression


def test_variables_in_queries_are_declared(board):
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board))) - {"__all"}
    assert used == {variable["name"] for variable in board["templating"]["list"]}


def test_it_has_what_grafana_needs(board):
    assert board["title"] == board["uid"] == "capacity"
    assert board["schemaVersion"] >= 36  # from then on a data source is {type, uid}
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = set()
    for panel in panels:
        assert panel["type"] in ("stat", "timeseries", "table")
        assert panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        ids = [target["refId"] for target in panel["targets"]]
        assert len(set(ids)) == len(ids) > 0
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        own = {
            (place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])
        }
        assert not own & cells, f"{panel['title']} lies over another panel"
        cells |= own
