"""The summary of an experiment: numbers by hand, LaTeX that compiles, text that lines up."""

import dataclasses
import math
import re
import shutil
import subprocess

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.analysis.latex import LONG, escape, latex
from capacity.analysis.page import page
from capacity.analysis.summary import summary, text
from tests.analysis.sample import rows


@pytest.fixture(scope="module")
def networks():
    frame = pd.DataFrame([dataclasses.asdict(row) for row in rows(rounds=4, controls=True)[0]])
    return frame.astype({"coded_size": "Int64"})


def test_summary_by_hand(networks):
    table = summary(networks).set_index("trial")
    assert len(table) == 6
    trial = "digits-mlp-w64-d2-n0"
    row, own = table.loc[trial], networks[networks["trial"] == trial]
    dense = own[own["round"] == 0]["test_accuracy"]
    assert row["parameters"] == 8970
    assert row["seeds"] == 3
    assert row["dense_test_accuracy"] == pytest.approx(dense.mean())
    assert row["dense_test_accuracy_error"] == pytest.approx(dense.std() / math.sqrt(3))
    ticket = own[(own["round"] == row["ticket_round"]) & (own["control"] == "ticket")]
    assert row["ticket_coded_size"] == pytest.approx(ticket["coded_size"].astype(float).mean())
    assert row["ticket_density"] == pytest.approx(0.8 ** row["ticket_round"])
    assert list(table["diverged"]) == [1, 0, 0, 0, 0, 0]


def test_a_trial_without_a_living_dense_network_has_gaps(networks):
    dead = networks.assign(diverged=networks["diverged"] | (networks["round"] == 0))
    table = summary(dead)
    assert table["ticket_round"].isna().all()
    assert table["dense_test_accuracy"].isna().all()
    assert " -- & -- & -- & -- & -- & --" in latex(table)
    assert "nan" not in latex(table) + text(table)


def test_text_lines_up(networks):
    lines = text(summary(networks)).splitlines()
    assert len(lines) == 3 + 6
    assert len({len(line) for line in lines[1:]}) == 1
    assert lines[1].endswith("diverged")
    assert max(map(len, lines)) <= 120


def test_latex_headers_come_from_the_schema(networks):
    table = latex(summary(networks))
    assert r"trial & $P$ & $a_\mathrm{test}$ & $|f|$ & $s$" in table
    assert r"\scriptsize (bits/weight)" in table
    body = table.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 6
    assert {line.count("&") for line in body} == {7}
    assert body[0].startswith(r"digits-mlp-w16-d2-n0 & 1\,482 & $0.9")


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("a_b", r"a\_b"),
        ("50 % & {#1} $x$", r"50 \% \& \{\#1\} \$x\$"),
        ("x~y^2", r"x\textasciitilde{}y\textasciicircum{}2"),
        ("\\n", r"\textbackslash{}n"),
        ("<a|b>", r"\textless{}a\textbar{}b\textgreater{}"),
    ],
)
def test_latex_escapes(plain, escaped):
    assert escape(plain) == escaped


@given(st.text(alphabet="ab_%&$#{}~^\\<>| "))
def test_escaped_text_has_no_special_character_left(plain):
    rest = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]", "", escape(plain))
    assert not set(rest) & set("&%$#_{}~^\\<>|")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_the_table_compiles_short_and_long(networks, tmp_path):
    table = summary(networks)
    long = pd.concat([table] * 7).assign(trial=[f"x_{i}%~" for i in range(42)])
    assert len(long) > LONG
    assert "longtable" in latex(long)
    body = latex(table) + "\n\n" + latex(long)
    preamble = "\\documentclass{article}\\usepackage{booktabs,longtable}\\begin{document}\n"
    (tmp_path / "t.tex").write_text(preamble + body + "\\end{document}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_page_escapes_what_it_is_given():
    provenance = {"config": {"a": {"b": "<x>"}, "c": None}, "runs": [{"device": "<gpu>"}]}
    told = [("Trials", "a < b", "x < y")]
    drawn = page("<t>", told, {"f": ("c & d", b"png")}, provenance, ["networks.csv"])
    assert "<x>" not in drawn
    assert "&lt;gpu&gt;" in drawn
    assert "a &lt; b" in drawn
    assert 'alt="c &amp; d" src="data:image/png;base64,cG5n"' in drawn
    assert "not recorded: the run was broken off" in drawn
