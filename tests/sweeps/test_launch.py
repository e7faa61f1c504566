"""The files that start clusters: they fit their schemas, and each node starts after the last."""

import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import ray
import yaml

ROOT = Path(__file__).parents[2]
SWEEPS = ROOT / "sweeps"
STUBS = {
    "scontrol": 'printf "n1\\nn2\\nn3\\n"',
    "python": 'case "$1" in -c) echo secret;; *) echo "python $*" >> "$CALLS";; esac',
    # Says what it was asked and, a moment later, what Ray says; then it stays, as --block does.
    "srun": """
        for node in "$@"; do case $node in --nodelist=*) break;; esac; done
        echo "begin $node $*" >> "$CALLS"
        [ "$RAY_AUTH_MODE $RAY_AUTH_TOKEN" = "token secret" ] || exit 1
        case "$node" in *"$BROKEN") echo "no memory"; exit 1;; esac
        sleep 0.3; echo "end $node" >> "$CALLS"; echo "Ray runtime started."; exec sleep 60
    """,
}


def test_cluster_yaml_fits_the_schema_of_ray():
    schema = json.loads((Path(ray.__file__).parent / "autoscaler/ray-schema.json").read_text())
    cluster = yaml.safe_load((SWEEPS / "cluster.yaml").read_text())
    jsonschema.validate(cluster, schema)
    with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
        jsonschema.validate({**cluster, "max_worker": 2}, schema)
    assert cluster["max_workers"] == len(cluster["provider"]["worker_ips"])
    for kind in ("head", "worker"):
        (command,) = cluster[f"{kind}_start_ray_commands"]
        assert command.startswith("RAY_AUTH_MODE=token ")
    assert "ray stop" not in str(cluster)


# Of the custom resource ray.io/v1 RayJob, the fields that we use.
POD = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["containers"],
            "additionalProperties": False,
            "properties": {
                "containers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["name", "image"],
                        "properties": {"env": {"items": {"required": ["name", "value"]}}},
                    },
                },
                "volumes": {"type": "array"},
            },
        }
    },
}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT = {"type": "integer", "minimum": 0}
RAY_JOB = {
    "type": "object",
    "required": ["entrypoint", "rayClusterSpec"],
    "additionalProperties": False,
    "properties": {
        "entrypoint": {"type": "string"},
        "metadata": TEXTS,
        "submissionMode": {"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
        "backoffLimit": COUNT,
        "shutdownAfterJobFinishes": {"type": "boolean"},
        "ttlSecondsAfterFinished": COUNT,
        "rayClusterSpec": {
            "type": "object",
            "required": ["headGroupSpec"],
            "additionalProperties": False,
            "properties": {
                "rayVersion": {"type": "string"},
                "authOptions": {"properties": {"mode": {"enum": ["disabled", "token"]}}},
                "headGroupSpec": {
                    "required": ["template"],
                    "additionalProperties": False,
                    "properties": {"rayStartParams": TEXTS, "template": POD},
                },
                "workerGroupSpecs": {
                    "items": {
                        "required": ["groupName", "template"],
                        "additionalProperties": False,
                        "properties": {
                            "groupName": {"type": "string"},
                            **dict.fromkeys(("replicas", "minReplicas", "maxReplicas"), COUNT),
                            "rayStartParams": TEXTS,
                            "template": POD,
                        },
                    }
                },
            },
        },
    },
}


def test_rayjob_has_the_fields_of_its_resource():
    job = yaml.safe_load((SWEEPS / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    jsonschema.validate(job["spec"], RAY_JOB)
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    assert (ROOT / job["spec"]["entrypoint"].split()[3]).is_file()


def test_the_image_has_the_ray_of_the_constraints():
    (pinned,) = re.findall(r"^ray==(\S+)", (ROOT / "constraints.txt").read_text(), re.M)
    assert f"ray:{pinned}-py311" in (SWEEPS / "Dockerfile").read_text()
    job = yaml.safe_load((SWEEPS / "rayjob.yaml").read_text())
    assert job["spec"]["rayClusterSpec"]["rayVersion"] == pinned


def slurm(folder, broken="none"):
    """Runs the script with stubs for Slurm and Python; returns what it did and what was called."""
    calls = folder / "calls"
    for name, body in STUBS.items():
        stub = folder / name
        stub.write_text(f"#!/bin/bash\n{body}\n")
        stub.chmod(0o755)
    variables = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "BROKEN": broken,
        "SLURM_JOB_ID": "71234",
        "SLURM_JOB_NODELIST": "n[1-3]",
        "SLURM_CPUS_PER_TASK": "16",
    }
    ended = subprocess.run(
        ["bash", SWEEPS / "slurm.sbatch", "configs/mlp.yaml", "--resume"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended, calls.read_text().splitlines()


def test_slurm_starts_one_node_after_the_other_and_then_the_sweep(tmp_path):
    ended, calls = slurm(tmp_path)
    assert ended.returncode == 0, ended.stderr
    steps = [call.split()[:2] for call in calls[:6]]
    nodes = [f"--nodelist=n{i}" for i in (1, 2, 3)]
    assert steps == [[what, node] for node in nodes for what in ("begin", "end")]
    assert "ray start --head --port=21234 --dashboard-host=127.0.0.1" in calls[0]
    assert "--block --num-cpus=16 --num-gpus=0" in calls[0]
    assert "ray start --address=n1:21234" in calls[2]
    assert calls[6:] == ["python -m capacity.sweep configs/mlp.yaml --resume --address n1:21234"]


def test_slurm_says_which_node_did_not_start_and_runs_nothing(tmp_path):
    ended, calls = slurm(tmp_path, broken="n2")
    assert ended.returncode == 1
    assert ended.stderr.strip() == "no Ray on n2: no memory"
    assert not any("capacity.sweep" in call for call in calls)


def test_every_file_stands_with_its_command_in_the_readme():
    readme = (SWEEPS / "README.md").read_text()
    for command in (
        "ray up sweeps/cluster.yaml",
        "kubectl apply -f sweeps/rayjob.yaml",
        "sbatch --nodes=4 --cpus-per-task=16 sweeps/slurm.sbatch configs/mlp.yaml",
        "ray job submit --address",
    ):
        assert command in readme
