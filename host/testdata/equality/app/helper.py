"""A module that programs import."""

value = 41


def fail(x):
    return x / 0


class Loud:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("helper's", self.name, "is gone")
