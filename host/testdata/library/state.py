from pathlib import Path
from sandbox_utils import load_state, save_state, update_state

assert load_state() == {} and load_state(default={"n": 0}) == {"n": 0}
save_state({"n": 1, "names": ["ä"]})
assert load_state() == {"n": 1, "names": ["ä"]}
assert update_state({"n": 2}) == {"n": 2, "names": ["ä"]} == load_state()
save_state({}, "other.json")
assert load_state("other.json") == {}
Path("other.json").write_text("{")
try:
    load_state("other.json")
    raise AssertionError("half a file was read")
except ValueError as error:
    assert "damaged" in str(error)
try:
    save_state({"no": object()})
    raise AssertionError("an object was kept")
except TypeError:
    assert load_state()["n"] == 2
