"""Two loops that a user of PyTorch would write; needs torch and numpy, and nothing of ours.

`usual` is a DataLoader that shuffles, and Adam; `best` slices a permutation of tensors that lie
ready in memory, and takes fused Adam. Answers one line of JSON with another; see contender.py.
"""
# pyright: reportMissingImports=false

import json
import math
import os
import sys
import time

os.sched_setaffinity(0, [int(sys.argv[1])])

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


def main() -> None:
    splits = {}
    for line in sys.stdin:
        job = json.loads(line)
        if job["loop"] == "versions":
            print(json.dumps({"torch": torch.__version__}), flush=True)
            continue
        if job["file"] not in splits:
            splits[job["file"]] = load(job["file"])
        print(json.dumps(trained(job, *splits[job["file"]])), flush=True)


def load(file: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images as flat float32 in [0, 1], which costs memory and saves a conversion in every step."""
    arrays = np.load(file)
    inputs = torch.from_numpy(arrays["inputs"]).flatten(1).float() * float(arrays["scale"])
    return inputs, torch.from_numpy(arrays["labels"]).long()


def trained(job: dict, inputs: torch.Tensor, labels: torch.Tensor) -> dict:
    """One network from new weights through `job["steps"]` steps."""
    torch.manual_seed(0)
    layers = []
    for units_in, units_out in zip(job["sizes"][:-1], job["sizes"][1:], strict=True):
        layer = nn.Linear(units_in, units_out)
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    loop = {"usual": usual, "best": best}[job["loop"]]
    began, core_began = time.perf_counter(), time.process_time()
    loop(model, inputs, labels, job)
    seconds, core_seconds = time.perf_counter() - began, time.process_time() - core_began
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(inputs[:5000]), labels[:5000])
    return {
        "work": job["steps"],
        "seconds": seconds,
        "core_seconds": core_seconds,
        "loss": float(loss) / math.log(2),
    }


def usual(model: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, job: dict) -> None:
    steps, batch_size = job["steps"], job["batch_size"]
    loader = DataLoader(
        TensorDataset(inputs, labels), batch_size=batch_size, shuffle=True, drop_last=True
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=job["learning_rate"])
    loss_function = nn.CrossEntropyLoss()
    done = 0
    while done < steps:
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            done += 1
            if done == steps:
                break


def best(model: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, job: dict) -> None:
    steps, batch_size = job["steps"], job["batch_size"]
    optimizer = torch.optim.Adam(model.parameters(), lr=job["learning_rate"], fused=True)
    done = 0
    while done < steps:
        order = torch.randperm(len(labels))
        for start in range(0, len(labels) - batch_size + 1, batch_size):
            index = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs[index]), labels[index])
            loss.backward()
            optimizer.step()
            done += 1
            if done == steps:
                break


if __name__ == "__main__":
    main()
