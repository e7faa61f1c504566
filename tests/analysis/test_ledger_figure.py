"""The ledger as a table and as a figure: means and errors by hand, bars that add up to the code."""

import dataclasses
import io
import math
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from capacity.analysis import ledger, style
from capacity.analysis.accounts import LINES, ON_A_PAGE, accounts, latex, text
from capacity.rows import LedgerRow
from capacity.rows.columns import columns
from tests.analysis.sample import rows

FIRST = "digits-mlp-w16-d2-n0"


def frames(**options):
    networks, *_, kept = (
        pd.DataFrame([dataclasses.asdict(row) for row in part]) for part in rows(**options)
    )
    networks = networks.astype({"coded_size": "Int64"})
    kept["coded_bits"] = kept["coded_bits"].astype("Int64")
    return kept, networks, pd.DataFrame({"trial": networks["trial"].unique()})


@pytest.fixture(scope="module")
def usual():
    return frames(rounds=3, controls=True)


def test_every_line_is_a_column_and_so_is_its_error():
    known = columns(LedgerRow)
    assert set(LINES) <= set(known)
    assert {error for error in LINES.values() if error} <= set(known)


def test_an_account_is_of_the_dense_networks_over_seeds(usual):
    found = accounts(usual[0]).set_index(["trial", "line"])
    # Fits of 100, 110 and 120 bits; a code of 1000 in every seed, with an error of 40 over labels.
    fit = found.loc[(FIRST, "fit_bits")]
    assert fit["mean"] == pytest.approx(110)
    assert fit["error"] == pytest.approx(10 / math.sqrt(3))
    assert np.isnan(fit["draw"])
    code = found.loc[(FIRST, "prequential_bits")]
    assert (code["mean"], code["error"], code["draw"]) == (1000, 0, 40)
    lines = set(found.index.get_level_values("line"))
    assert "known_bits" not in lines, "a line that no trial knows is none"
    assert "memorised_bits" in lines


def test_the_text_has_lines_down_and_trials_across(usual):
    told = text(accounts(usual[0]))
    lines = told.splitlines()
    assert lines[0].split() == ["line", "kind", *usual[2]["trial"][:3]]
    (fit,) = [line for line in lines[:18] if line.startswith("fit bits")]
    assert fit.split()[:3] == ["fit", "bits", "measured"]
    assert "110 ±6" in fit
    (code,) = [line for line in lines[:18] if line.startswith("prequential bits")]
    assert code.count("1 000 (40)") == 3
    assert "naming one of the 6 trials, as the best: 2.58 bits" in lines[-1]
    assert max(map(len, lines)) <= 120
    assert "nan" not in told


def test_one_seed_has_no_error_over_seeds():
    told = text(accounts(frames(widths=(16,), noises=(0.0,), seeds=1, rounds=1)[0]))
    assert "±" not in told
    assert "naming" not in told


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_the_tables_compile(usual, tmp_path):
    (tmp_path / "t.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
        + latex(accounts(usual[0]))
        + "\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_latex_has_the_symbols_and_kinds_of_the_schema(usual):
    table = latex(accounts(usual[0]))
    assert table.count(r"\begin{tabular}") == 6 / ON_A_PAGE
    assert r"weight information & $I_w$ & estimate & $890 \pm 6$" in table
    assert r"$1\,000$ ($40$)" not in table
    assert r"$1\,000 (40)$" in table
    assert "nan" not in table


def test_bars_stack_up_to_the_code(usual):
    labels, network = ledger.figure(*usual).axes
    bars = [patch for patch in labels.patches if patch.get_width() > 0]
    by_row = {}
    for bar in bars:
        by_row.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(bar.get_width())
    assert len(by_row) == 6
    for widths in by_row.values():
        assert sum(widths) == pytest.approx(1000)
    assert widths == pytest.approx([110, 590, 300])
    assert labels.get_xscale() == "linear", "lengths add up on no other axis"
    assert network.get_xscale() == "log"


def test_what_generalises_less_than_nothing_leaves_its_bar_beyond_the_code(usual):
    kept, networks, trials = usual
    worse = kept.assign(generalising_bits=-100.0, memorised_bits=990.0)
    figure = ledger.figure(worse, networks, trials)
    ends = [bar.get_x() + bar.get_width() for bar in figure.axes[0].patches]
    assert max(ends) == pytest.approx(1100)
    assert "a bar beyond its code generalises less than nothing" in figure.get_supxlabel()


@pytest.mark.parametrize(
    "options",
    [
        {"widths": (16,), "noises": (0.0,), "seeds": 1, "rounds": 1, "diverged": False},
        {"widths": (16,), "noises": (0.0,), "seeds": 1, "rounds": 1, "diverged": True},
        {"widths": range(4, 100, 4), "noises": (0.0, 0.1), "seeds": 2, "rounds": 2},
    ],
    ids=["one network", "none alive", "48 trials"],
)
def test_every_size_of_sweep_can_be_drawn(options):
    with style.page():
        figure = ledger.figure(*frames(**options))
        figure.savefig(io.BytesIO(), format="png", dpi=30)
        box = figure.legends[0].get_window_extent()
        assert box.y1 <= figure.bbox.y1
        assert box.x1 <= figure.bbox.x1
    if len(options["widths"]) > 1:
        assert "24 trials are left out" in figure.get_supxlabel()
