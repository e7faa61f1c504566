"""Of names, the latest stay."""

from capacity.cluster.latest import Latest


def test_one_goes_for_each_that_comes():
    latest = Latest(2)
    assert [latest.add(name) for name in "abcd"] == [None, None, "a", "b"]


def test_a_name_is_there_once():
    latest = Latest(2)
    assert [latest.add(name) for name in "aabc"] == [None, None, None, "a"]
