"""Experiments from files: the grid and its names, overrides, and the sentence for every mistake."""

from pathlib import Path

import pytest

from capacity.config import flatten
from capacity.experiment import ConfigError, load

CONFIGS = sorted((Path(__file__).parents[1] / "configs").rglob("*.yaml"))


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads a text as the file `mlp.yaml`."""
    monkeypatch.chdir(tmp_path)

    def read(text, *overrides):
        Path("mlp.yaml").write_text(text, encoding="utf-8")
        return load("mlp.yaml", overrides)

    return read


def sentence(read, *arguments):
    with pytest.raises(ConfigError) as raised:
        read(*arguments)
    return str(raised.value)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_loads_and_opens_with_a_question(path):
    experiment = load(path)
    assert experiment.name == path.stem
    assert experiment.trials
    first, *_ = path.read_text().splitlines()
    assert first.startswith("# ")
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert any("python -m capacity.sweep" in line for line in head)


def test_an_experiment_is_named_by_its_file_or_by_itself(read):
    assert read("seeds: 2").name == "mlp"
    assert read("name: width-and-noise").name == "width-and-noise"
    assert read("name: width-and-noise", "name=again").name == "again"


def test_trials_are_the_grid_with_the_last_axis_fastest(read):
    experiment = read("sweep: {model.width: [16, 32], data.label_noise: [0.0, 0.2, 0.4]}")
    assert list(experiment.trials) == [
        "digits-mlp-w16-noise0.0",
        "digits-mlp-w16-noise0.2",
        "digits-mlp-w16-noise0.4",
        "digits-mlp-w32-noise0.0",
        "digits-mlp-w32-noise0.2",
        "digits-mlp-w32-noise0.4",
    ]
    config = experiment.trials["digits-mlp-w32-noise0.2"]
    assert (config.model.width, config.data.label_noise) == (32, 0.2)
    assert {trial.seeds for trial in experiment.trials.values()} == {3}


def test_names_of_trials_are_names_of_files(read):
    """The data set and the family lead; a swept key without a short form keeps its last word."""
    axes = "data.name: [digits, 'mnist:3.0.1', emnist/letters], pruning.allocation: [global]"
    assert list(read(f"sweep: {{{axes}}}").trials) == [
        "digits-mlp-allocation_global",
        "mnist_3.0.1-mlp-allocation_global",
        "emnist_letters-mlp-allocation_global",
    ]
    axes = "training.learning_rate: [1e-3], data.train_size: [null, 100], data.classes: [[0, 1]]"
    assert list(read(f"sweep: {{{axes}}}").trials) == [
        "digits-mlp-lr0.001-nnull-classes_0_1",
        "digits-mlp-lr0.001-n100-classes_0_1",
    ]


def test_an_axis_may_complete_a_base_that_is_not_valid_alone(read):
    text = "model: {depth: 8}\nsweep: {model.family: [resnet], model.width: [0.5, 1]}"
    assert list(read(text).trials) == ["digits-resnet-w0.5", "digits-resnet-w1"]


def test_overrides_take_the_place_of_settings_and_axes(read):
    text = "model: {width: 8}\nsweep: {data.label_noise: [0.0, 0.1]}"
    assert list(read(text, "data.label_noise=0.3").trials) == ["digits-mlp"]
    assert read(text, "data.label_noise=0.3").base.data.label_noise == 0.3
    swept = read(text, "model.width=[16,64]").trials
    assert list(swept) == [
        "digits-mlp-noise0.0-w16",
        "digits-mlp-noise0.0-w64",
        "digits-mlp-noise0.1-w16",
        "digits-mlp-noise0.1-w64",
    ]
    again = read(text, "data.label_noise=[0.2]", "seeds=5", "model.depth=null")
    assert list(again.trials) == ["digits-mlp-noise0.2"]
    assert again.base.seeds == 5


def test_the_last_override_wins(read):
    assert read("seeds: 1", "seeds=2", "seeds=[4,5]", "seeds=3").base.seeds == 3


def test_a_list_is_a_value_where_the_key_holds_a_list(read):
    assert read("seeds: 1", "data.classes=[0,1]").base.data.classes == (0, 1)
    assert read("seeds: 1", "coding.steps=[1.0,0.5]").base.coding.steps == (1.0, 0.5)
    swept = read("seeds: 1", "sweep.data.classes=[[0,1],[2,3]]").trials
    assert [config.data.classes for config in swept.values()] == [(0, 1), (2, 3)]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("1E+2", 100.0), ("2.5e-1", 0.25), ("1.0e3", 1000.0), ("3", 3.0)],
)
def test_scientific_notation_is_a_number(read, text, value):
    """YAML 1.1 takes 1e-3 for a word."""
    assert read(f"training: {{learning_rate: {text}}}").base.training.learning_rate == value
    assert read("seeds: 1", f"training.learning_rate={text}").base.training.learning_rate == value


def test_trials_hold_all_settings_with_their_defaults(read):
    config = read("training: {epochs: 2}").trials["digits-mlp"]
    flat = flatten(config)
    assert flat["training.epochs"] == 2
    assert flat["training.batch_size"] == 60


MISTAKES = {
    "training: {epoch: 3}": "no key 'training.epoch', did you mean 'training.epochs'?",
    "epochs: 3": "no key 'epochs', did you mean 'training.epochs'?",
    "trainig: {epochs: 3}": "no key 'trainig', did you mean 'training'?",
    "zzz: 1": "no key 'zzz'; --help lists all keys",
    "1: 2": "no key '1'; --help lists all keys",
    "sweep: {model.widht: [1]}": "no key 'model.widht', did you mean 'model.width'?",
    "sweep: {1: [2]}": "no key '1'; --help lists all keys",
    "training: {epochs: -1}": "training.epochs = -1: must be greater than or equal to 0",
    "training: {epochs: 0}": (
        "training.epochs or training.steps = 0: nothing is left to do without memorising.loads"
    ),
    "memorising: {momentum: 0.9}": "memorising: momentum is not an option of adam",
    "training: {epochs: many}": "training.epochs = many: must be a valid number",
    "training: {epochs: .inf}": "training.epochs = .inf: must be a finite number",
    "training: {batch_size: 2.5}": "training.batch_size = 2.5: must be a valid integer",
    "training: {batch_size: true}": "training.batch_size = true: must be a valid integer",
    "training: {optimizer: adma}": "training.optimizer = adma: must be 'sgd', 'adam' or 'adamw'",
    "training: {chunk: many}": "training.chunk = many: must be a valid integer or 'auto'",
    "data: {name: 5}": "data.name = 5: must be a valid string",
    "data: {label_noise: 1.5}": "data.label_noise = 1.5: must be less than or equal to 1",
    "data: {classes: 3}": "data.classes = 3: must be a list of values",
    "data: {classes: [0, -1]}": "data.classes.1 = -1: must be greater than or equal to 0",
    "coding: {steps: []}": "coding.steps = []: must be a list of at least one value",
    "seeds: 0": "seeds = 0: must be greater than 0",
    "model: 3": "model = 3: must map keys to values",
    "model: {width: 0}": "model.width = 0: must be greater than 0",
    "model: {width: 2.5}": "model: width of an mlp is a whole number of units",
    "model: {family: lenet5, depth: 3}": "model: the depth of lenet5 is fixed",
    "model: {family: conv2, taper: 0.5}": "model: taper is not an option of conv2",
    "model: {family: vgg, layer_norm: true}": "model: layer_norm is not an option of vgg",
    "model: {family: vgg, depth: 12}": "model: depth of vgg is 11, 13, 16 or 19",
    "model: {family: resnet, depth: 2}": "model: depth of resnet is 6 n + 2: 8, 14, 20, ...",
    "model: {family: lenet5, widths: [8]}": "model: widths is not an option of lenet5",
    "model: {widths: [8, 4], depth: 3}": "model: depth = 3: there are 2 widths",
    "model: {widths: [8, 4], taper: 0.5}": "model: taper is not an option beside widths",
    "pruning: {rate: 1}": "pruning.rate = 1: must be less than 1",
    "pruning: {allocation: global, output_rate: 0.1}": (
        "pruning: output_rate is not an option of global allocation"
    ),
    "pruning: {rewind: fine-tuning, controls: [random-mask]}": (
        "pruning: random-mask is no control of rewind fine-tuning, which leaves zeros outside of "
        "the mask: random-ticket is"
    ),
    'pruning: {pattern: "2:4", rounds: 1, allocation: global}': (
        "pruning: allocation is not an option of a pattern"
    ),
    "pruning: {begin: 0.8, schedule: gradual}": "pruning: begin = 0.8: must be below end = 0.75",
    "pruning: {method: rigl, schedule: iterative}": (
        "pruning: schedule iterative is not an option of rigl: it is dynamic"
    ),
    "pruning: {method: synflow, allocation: erk}": (
        "pruning: allocation erk is not an option of synflow: it is global"
    ),
    "pruning: {method: set, narrow: true}": (
        "pruning: narrow is not an option of schedule dynamic, whose mask moves"
    ),
    "{pruning: {narrow: true}, training: {weight_decay: 0.1}}": (
        "pruning.narrow = true: is not an option with training.weight_decay, which moves the "
        "weights that are left out, too"
    ),
    "pruning: {pattern: 2-4}": "pruning: pattern '2-4': must be as 2:4",
    "pruning: {pattern: 2:4, rounds: 3}": (
        "pruning: pattern 2:4 is for one round, before training or behind it"
    ),
    "pruning: {schedule: gradual, controls: [sibling]}": (
        "pruning: a sibling is no control of schedule gradual: its mask would be another"
    ),
    "pruning: {rewind: fine-tuning, method: snip}": (
        "pruning: rewind fine-tuning is not an option of schedule before-training"
    ),
    "pruning: {rewind_step: 150}": (
        "pruning.rewind_step = 150: must be a multiple of training.evaluate_every = 100"
    ),
    "training: {chunk: 2}": "training.chunk = 2: must divide seeds = 3",
    "sweep: [1]": "sweep: must map keys to lists of values",
    "sweep: {model.width: []}": "sweep.model.width = []: must be a list of at least one value",
    "sweep: {model.width: 16}": "sweep.model.width = 16: must be a list of at least one value",
    "sweep: {model.width: [16, 16]}": "sweep.model.width = [16, 16]: a value stands twice",
    "sweep: {model.width: [16, 16.0]}": "sweep: two trials have the same settings",
    "sweep: {data.name: ['a/b', 'a:b']}": "sweep: two trials have the same identifier",
    "sweep: {model.width: [16, 0]}": "model.width = 0: must be greater than 0",
    "model: {depth: 3}\nsweep: {model.family: [mlp, conv2]}": (
        "model: the depth of conv2 is fixed"
    ),
    "name: ../x": "name = ../x: string should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]*$'",
    "- 1": "not a YAML mapping of keys to values",
    "": "not a YAML mapping of keys to values",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_file_is_one_sentence(read, text):
    assert sentence(read, text) == f"mlp.yaml: {MISTAKES[text]}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1", "while parsing a flow sequence"),
        ("seeds: 1\nseeds: 2", "key 'seeds' stands twice"),
        ("model: {width: 1, width: 2}", "key 'width' stands twice"),
        ("training:\n\tepochs: 3", "cannot start any token"),
        ("a: !!python/object:os.system {}", "could not determine a constructor"),
    ],
)
def test_what_is_no_yaml_is_said_in_one_line(read, text, reason):
    said = sentence(read, text)
    assert said.startswith("mlp.yaml: not a YAML file: ")
    assert reason in said
    assert "\n" not in said


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.yaml: No such file or directory$"):
        load(tmp_path / "missing.yaml")
    with pytest.raises(ConfigError, match=r"Is a directory$"):
        load(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.yaml: not a YAML file: "):
        load(tmp_path / "bytes.yaml")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("model.width", "'model.width': an override is key=value, as training.epochs=3"),
        ("=3", "'=3': an override is key=value, as training.epochs=3"),
        ("model.widht=3", "command line: no key 'model.widht', did you mean 'model.width'?"),
        ("model.width=0", "mlp.yaml: model.width = 0: must be greater than 0"),
        (
            "model.width=[]",
            "mlp.yaml: sweep.model.width = []: must be a list of at least one value",
        ),
    ],
)
def test_a_mistake_in_an_override_is_one_sentence(read, override, said):
    assert sentence(read, "seeds: 2", override) == said


def test_an_override_that_is_no_yaml_is_quoted(read):
    said = sentence(read, "seeds: 2", "model.width=[")
    assert said.startswith("'model.width=[': not a YAML value: ")
    assert "\n" not in said
