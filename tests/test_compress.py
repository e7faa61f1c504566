"""The command: a file that is the network, tables that add up, mistakes in one sentence."""

import subprocess
import sys

import numpy as np
import pytest

from capacity import checkpoints, coding
from capacity.coding.baselines import BASELINES
from capacity.coding.codecs import CODECS, EFFORT
from capacity.coding.recipe import Prepared, Recipe
from capacity.compress import __main__ as command_line
from capacity.compress import comparison


@pytest.fixture
def network(tmp_path):
    """A pruned layer, its bias, a half and a counter, as an .npz."""
    generator = np.random.default_rng(0)
    kernel = generator.laplace(size=(40, 30)) * (generator.random((40, 30)) < 0.2)
    tensors = {
        "layers/0/kernel": kernel.astype(np.float32),
        "layers/0/bias": generator.normal(size=30).astype(np.float32),
        "scale": np.ones(30, np.float16),
        "step": np.array(100, np.int32),
    }
    path = tmp_path / "network.npz"
    np.savez(path, **tensors)
    return path, tensors


def run(*arguments):
    return command_line.main([str(argument) for argument in arguments])


def error(capsys, *arguments):
    """The one line of a mistake."""
    try:
        code = run(*arguments)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr().err
    assert code == 2
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        ((), Recipe()),
        (("--step", 0.125), Recipe(step=0.125)),
        (("--relative-step", 1, "--effort", "max"), Recipe(relative_step=1)),
        (("--error", 0.01), Recipe(error=0.01)),
        (("--quantiser", "rdo"), Recipe("rdo")),
        (("--quantiser", "kmeans", "--levels", 8), Recipe("kmeans", levels=8)),
        (("--lossless",), Recipe("lossless")),
    ],
)
def test_decoding_gives_what_the_quantiser_decided(network, tmp_path, suffix, options, recipe):
    path, tensors = network
    file, back = tmp_path / "network.cap", tmp_path / f"back{suffix}"
    assert run("encode", path, file, *options) == 0
    assert run("decode", file, back) == 0
    decoded = checkpoints.read(back).tensors
    assert list(decoded) == list(tensors)
    for name, leaf in Prepared(tensors, recipe).items():
        expected = coding.dequantised(leaf) if isinstance(leaf, coding.Quantised) else leaf
        assert decoded[name].dtype == tensors[name].dtype
        assert decoded[name].tobytes() == expected.tobytes()
    if recipe.quantiser == "lossless":
        assert all(decoded[n].tobytes() == tensors[n].tobytes() for n in tensors)


def test_some_tensors_alone(network, tmp_path):
    path, tensors = network
    file, back = tmp_path / "network.cap", tmp_path / "back.npz"
    run("encode", path, file, "--lossless")
    assert run("decode", file, back, "--only", "scale", "--only", "step") == 0
    decoded = checkpoints.read(back).tensors
    assert {n: w.tolist() for n, w in decoded.items()} == {
        n: tensors[n].tolist() for n in ("scale", "step")
    }


def test_inspect_lists_what_the_file_holds(network, tmp_path, capsys):
    path, tensors = network
    file = tmp_path / "network.cap"
    run("encode", path, file, "--step", 0.125)
    capsys.readouterr()
    assert run("inspect", file) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = "tensor shape type zeros step bits/weight bytes codec"
    assert " ".join(lines[0].split()) == titles
    rows = {line.split()[0]: line.split() for line in lines[1:5]}
    assert list(rows) == list(tensors)
    kernel = coding.uniform(tensors["layers/0/kernel"], 0.125).symbols
    zeros = 100 * np.mean(kernel == 0)
    assert rows["layers/0/kernel"][1:6] == ["40x30", "float32", f"{zeros:.1f}", "%", "0.125"]
    assert rows["step"][1:3] == ["scalar", "int32"]
    sizes = coding.coded_bytes(file.read_bytes())
    assert [int(row[-2]) for row in rows.values()] == list(sizes.values())
    assert f"{file.stat().st_size:,} bytes" in lines[5]


def test_compare_has_a_line_for_everything(network, capsys):
    path, _ = network
    assert run("compare", path, "--step", 0.125) == 0
    out, err = capsys.readouterr()
    assert "left out: step" in err
    for name in (*BASELINES, *(codec.name for codec in CODECS.values())):
        assert name.rpartition(", ")[2] in out
    assert out.count("file, ") == 2 * len(EFFORT)
    assert "4,980 bytes" in out  # 1200 and 30 float32, 30 float16


def test_what_does_not_come_back_is_a_bug(monkeypatch):
    broken = BASELINES["weights, zstd"]._replace(decode=lambda data, like: [w + 1 for w in like])
    monkeypatch.setitem(BASELINES, "weights, zstd", broken)
    (row,) = [r for r in comparison.rows({"w": np.ones(3)}, {}) if r.name == "zstd"][:1]
    with pytest.raises(RuntimeError, match="zstd: what was decoded is not what was encoded"):
        row.measured()


def test_nothing_is_written_over(network, tmp_path, capsys):
    path, _ = network
    file = tmp_path / "network.cap"
    file.write_bytes(b"precious")
    assert "is there already: add --force" in error(capsys, "encode", path, file)
    assert file.read_bytes() == b"precious"
    assert run("encode", path, file, "--force") == 0
    assert "is a folder: name a file" in error(capsys, "encode", path, tmp_path)
    assert "is there already: add --force" in error(capsys, "decode", file, path)


def test_a_failed_run_leaves_nothing(network, tmp_path, capsys):
    path, tensors = network
    np.savez(path, **tensors | {"bad": np.array([1, np.nan])})
    file = tmp_path / "network.cap"
    assert "bad: 1 of 2 weights are NaN or infinite" in error(capsys, "encode", path, file)
    assert [each.name for each in tmp_path.iterdir()] == ["network.npz"]
    assert run("encode", path, file, "--lossless") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("encode", "none.npz", "x.cap"), "none.npz cannot be read (no such file"),
        (("inspect", "none.cap"), "none.cap cannot be read (no such file"),
        (("decode", "network.npz", "x.npz"), "network.npz: this is not a file of compressed w"),
        (("decode", "good.cap", "x.pt"), "x.pt: tensors are written as .npz or .safetensors"),
        (("decode", "good.cap", "x.npz", "--only", "w"), "good.cap: no tensor 'w' in it"),
        (("inspect", "half.cap"), "half.cap: the file has"),
        (("decode", "half.cap", "x.npz"), "half.cap: the file has"),
        (("encode", "half.cap", "x.cap"), "half.cap: the file has"),
        (("inspect", "."), ". is a folder: name a compressed file"),
        (("encode", "network.npz", "x.cap", "--step", "0"), "argument --step: 0 is not a posit"),
        (("encode", "network.npz", "x.cap", "--step", "a"), "argument --step: invalid"),
        (("encode", "network.npz", "x.cap", "--step", "1e-12"), "needs a symbol of magnitude"),
        (
            ("encode", "network.npz", "x.cap", "--step", "1", "--error", "1"),
            "--error: not allowed with",
        ),
        (
            ("encode", "network.npz", "x.cap", "--quantiser", "kmeans", "--levels", "1"),
            "a codebook of 1 levels: must be 2",
        ),
        (("encode", "network.npz"), "the following arguments are required: OUT"),
        (("compare", "steps.npz"), "steps.npz holds no weights that could be quantised"),
        (("compress",), "invalid choice: 'compress'"),
        ((), "the following arguments are required"),
    ],
)
def test_a_mistake_is_one_sentence(network, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    _, tensors = network
    good = coding.encode(tensors)
    (tmp_path / "good.cap").write_bytes(good)
    (tmp_path / "half.cap").write_bytes(good[: len(good) - 9])
    np.savez(tmp_path / "steps.npz")
    assert message in error(capsys, *arguments)
    assert not (tmp_path / "x.cap").exists()


def test_a_file_that_claims_too_much_needs_a_word(tmp_path, capsys):
    file = tmp_path / "zeros.cap"
    file.write_bytes(coding.encode({"w": coding.uniform(np.zeros(2000), 1.0)}))
    assert "claims 2000 weights" in error(capsys, "inspect", file, "--weight-limit", 1999)
    assert run("inspect", file, "--weight-limit", 2000) == 0


def test_the_module_is_a_command(network, tmp_path):
    path, _ = network
    command = [sys.executable, "-m", "capacity.compress"]
    done = subprocess.run(
        [*command, "encode", path, tmp_path / "n.cap"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    wrong = subprocess.run([*command, "inspect", path], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1


def test_a_tree_is_quantised_a_tensor_at_a_time():
    asked = []

    class Tensors(dict):
        def __getitem__(self, name):
            asked.append(name)
            return super().__getitem__(name)

    leaves = iter(Prepared(Tensors(a=np.ones(2), b=np.ones(2)), Recipe()).items())
    assert asked == []
    assert next(leaves)[0] == "a"
    assert asked == ["a"]
