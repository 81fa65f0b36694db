from sandbox_utils import chunk, filter_by, group_by, map_items, sort_by, unique

rows = [
    {"city": "Rome", "n": 3}, {"city": "Oslo", "n": None}, {"city": "Rome", "n": 1},
]
assert {city: len(of) for city, of in group_by(rows, "city").items()} == {"Rome": 2, "Oslo": 1}
assert list(group_by(range(6), lambda n: n % 3)) == [0, 1, 2]
assert filter_by(rows, "n") == [rows[0], rows[2]]
assert map_items(rows, "city") == ["Rome", "Oslo", "Rome"] and map_items([1, 2], str) == ["1", "2"]
assert map_items([1 + 2j], "imag") == [2.0]
assert [row["n"] for row in sort_by(rows, "n")] == [None, 1, 3]
assert sort_by("bca", lambda letter: letter, reverse=True) == ["c", "b", "a"]
assert unique([1, 2, 1, [3], [3], "1"]) == [1, 2, [3], "1"]
assert unique(rows, key="city") == rows[:2]
assert list(chunk("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
try:
    group_by(rows, 3)
    raise AssertionError("3 is no column")
except TypeError as error:
    assert "name of a column" in str(error)
