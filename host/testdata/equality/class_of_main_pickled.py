import copy
import dataclasses
import pickle


@dataclasses.dataclass(frozen=True, order=True)
class Point:
    x: int
    y: int = 2


p = Point(1)
print(pickle.loads(pickle.dumps(p)) == p, copy.deepcopy(p), Point.__module__, repr(Point))
print(dataclasses.asdict(p), Point(0) < p)
