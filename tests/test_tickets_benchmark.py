"""The table of published claims: what is met, and what is told as missed."""

import pandas as pd
import pytest

from benchmarks.tickets import claims, levels

LEFT = {0: 1.0, 7: 0.2107, 9: 0.1352, 11: 0.0868, 15: 0.0358}
DENSE, TICKET, FRESH = 0.978, 0.984, 0.979
STEPS = {"dense": 5000, "ticket": 2500, "reinitialised": 6000}


def rows(ticket=TICKET, steps=STEPS):
    """Two seeds a tenth of a point apart."""
    found = []
    for number, density in LEFT.items():
        for control in ("ticket", "reinitialised")[: 1 + (number > 0)]:
            accuracy = DENSE if number == 0 else ticket if control == "ticket" else FRESH
            for seed in range(2):
                found.append(
                    {
                        "round": number,
                        "control": control,
                        "seed": seed,
                        "density": density,
                        "test_accuracy": accuracy + 0.001 * (seed - 0.5),
                        "best_step": steps["dense" if number == 0 else control],
                    }
                )
    return pd.DataFrame(found)


def test_all_claims_hold_where_they_do():
    grid = claims(rows())
    assert [row[-1] for row in grid.rows] == ["yes"] * 9
    told = {row[0]: row[2] for row in grid.rows}
    assert told["tickets over dense, 13.5 %"] == "+0.60 points"
    assert told["early stop at 21 %, against fresh weights"] == "2,500 to 6,000: 2.40 times"


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"ticket": 0.979}, ["tickets over dense, 13.5 %", "tickets over fresh weights, 13.5 %"]),
        (
            {"steps": STEPS | {"ticket": 5500}},
            ["early stop at 21 %, against dense"],
        ),
    ],
)
def test_a_claim_that_fails_is_told(changed, missed):
    assert [row[0] for row in claims(rows(**changed)).rows if row[-1] == "MISSED"] == missed


def test_a_row_for_every_level():
    grid = levels(rows())
    assert [row[0] for row in grid.rows] == ["100.0 %", "21.1 %", "13.5 %", "8.7 %", "3.6 %"]
    assert grid.rows[1][1:3] == ("98.40 ± 0.05", "2,500")
