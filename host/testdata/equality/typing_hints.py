import typing


class Movie(typing.TypedDict, total=False):
    name: str


def f(x: "Movie", *, y: int | None = None) -> list[int]: ...


print(typing.get_type_hints(f), Movie.__total__, typing.get_type_hints(Movie))
type Alias[T] = list[T]
print(Alias, Alias.__value__)
