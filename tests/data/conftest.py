"""A small TFDS set that is prepared on paper only: its metadata is real, its records are drawn."""

import importlib
import json

import numpy as np
import pytest

FEATURES = "tensorflow_datasets.core.features."


def _write_metadata(
    folder,
    *,
    splits=("train", "test"),
    shape=("28", "28", "1"),
    classes=10,
    file_format="array_record",
):
    """The two JSON files that make `folder` a prepared TFDS set of labelled images."""
    folder.mkdir(parents=True)
    image = {"dtype": "uint8", "shape": {"dimensions": list(shape)}}
    features = {
        "image": {"image": image, "pythonClassName": FEATURES + "image_feature.Image"},
        "label": {
            "classLabel": {"numClasses": str(classes)},
            "pythonClassName": FEATURES + "class_label_feature.ClassLabel",
        },
    }
    (folder / "features.json").write_text(
        json.dumps(
            {
                "featuresDict": {"features": features},
                "pythonClassName": FEATURES + "features_dict.FeaturesDict",
            }
        )
    )
    template = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
    (folder / "dataset_info.json").write_text(
        json.dumps(
            {
                "fileFormat": file_format,
                "name": folder.parent.name,
                "version": folder.name,
                "splits": [
                    {
                        "filepathTemplate": template,
                        "name": split,
                        "numBytes": "1",
                        "shardLengths": ["60"],
                    }
                    for split in splits
                ],
            }
        )
    )


@pytest.fixture
def metadata():
    """The writer of such metadata."""
    return _write_metadata


class Records(list):
    """A list that is read as a TFDS data source is (tfds's own mock lacks __getitems__)."""

    def __getitems__(self, rows):
        return [self[row] for row in rows]


def _records(builder, split):
    draw = np.random.default_rng(len(split))
    shape = builder.info.features["image"].shape
    return Records(
        {"image": draw.integers(0, 256, shape).astype(np.uint8), "label": row % 10}
        for row in range(60)
    )


@pytest.fixture
def paper_data_dir(tmp_path, monkeypatch):
    """An empty TFDS_DATA_DIR; any set on paper in it has 60 random images a split."""
    testing = importlib.import_module("tensorflow_datasets").testing  # slow to import
    data_dir = tmp_path / "tfds"
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
    with testing.mock_data(as_data_source_fn=_records, data_dir=str(data_dir)):
        yield data_dir


@pytest.fixture
def paper_set(paper_data_dir):
    """The same with `mnist` 3.0.1 in it."""
    _write_metadata(paper_data_dir / "mnist" / "3.0.1")
    return paper_data_dir
