"""Natural order: numbers count as numbers, and no two names are equal."""

from itertools import permutations

from capacity.names import natural


def test_numbers_in_names_are_in_the_order_of_numbers():
    ordered = ["mlp-w16-n0.05", "mlp-w16-n0.2", "mlp-w128-n0", "mlp-w128-n0.05"]
    for names in permutations(ordered):
        assert sorted(names, key=natural) == ordered
    assert sorted(["layers/10/bias", "layers/2/kernel"], key=natural)[0] == "layers/2/kernel"


def test_names_of_equal_numbers_have_an_order():
    """Whatever order a set has, the tables are the same."""
    assert sorted(["n0.50", "n0.5"], key=natural) == sorted(["n0.5", "n0.50"], key=natural)


def test_a_number_at_the_start_and_none_at_all_compare():
    assert sorted(["b", "2a", "a", "10a"], key=natural) == ["2a", "10a", "a", "b"]
