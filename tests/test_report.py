"""The report: all is redrawn from the tables, the same each time; mistakes cost a sentence."""

import re

import pytest

from capacity import report
from capacity.store import Store
from tests.analysis.sample import sample

NONE_OF = ("capacities", "saturation", "candidates")  # tables without rows
PICTURES = [name for name, (table, *_) in report.FIGURES.items() if table not in NONE_OF]
DRAWN = {f"figures/{name}.{kind}" for name in PICTURES for kind in ("pdf", "png")}
DRAWN |= {"table.tex", "ledger.tex", "report.html"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "digits <1>"
    kept = Store.open(path, {"training": {"epochs": 3}}, resume=False, device="a CPU")
    for name, (config, tables) in sample(widths=(16, 32), rounds=4).items():
        kept.write_trial(name, config, **tables, files={})
    kept.write_tables()
    kept.finish()
    return path


@pytest.fixture(scope="module")
def drawn(folder):
    said = []
    return report.draw(folder, say=said.append), said


def test_everything_is_drawn_and_told(folder, drawn):
    written, said = drawn
    assert {str(path.relative_to(folder)) for path in written} == DRAWN
    assert [f"wrote {path}" for path in written] == said[: len(written)]
    assert "digits-mlp-w16-d2-n0.2" in said[-3]
    assert "naming one of the 4 trials, as the best: 2.00 bits" in said[-2]
    assert "critical sparsity" in said[-1]
    assert (folder / "figures/size-accuracy.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "figures/size-accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_draws_the_same_elsewhere(folder, drawn, tmp_path, capsys):
    assert report.main([str(folder), "--out", str(tmp_path / "new")]) == 0
    assert f"wrote {tmp_path / 'new' / 'table.tex'}" in capsys.readouterr().out
    for name in DRAWN - {"report.html"}:  # the page links tables only where they are beside it
        assert (folder / name).read_bytes() == (tmp_path / "new" / name).read_bytes(), name


def test_the_page_needs_nothing_else(folder, drawn):
    page = (folder / "report.html").read_text()
    assert "<title>digits &lt;1&gt;</title>" in page
    assert page.count("data:image/png;base64,") == len(PICTURES)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    for link in re.findall(r'href="([^"]+)"', page):
        assert (folder / link).exists(), link
    assert "a CPU" in page
    assert "epochs: 3" in page


def test_mistakes_cost_one_sentence_and_exit_code_2(folder, tmp_path, capsys):
    empty = tmp_path / "empty"
    Store.open(empty, {}, resume=False).write_tables()
    (tmp_path / "file").write_text("")
    (tmp_path / "none").mkdir()
    for arguments, words in [
        ([tmp_path / "absent"], "no such folder"),
        ([tmp_path / "none"], "holds no results"),
        ([empty], "holds no trial: none has finished yet"),
        ([folder, "--out", tmp_path / "file"], "cannot be written"),
    ]:
        assert report.main([str(a) for a in arguments]) == 2
        captured = capsys.readouterr()
        assert words in captured.err
        assert captured.err.count("\n") == 1
    for arguments in ([], ["a", "--colour", "red"]):
        with pytest.raises(SystemExit) as left:
            report.main(arguments)
        assert left.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
