import math


def f(value):
    return valeu


class A:
    colour = 1


for attempt in (lambda: f(1), lambda: math.sqroot(4), lambda: A().color):
    try:
        attempt()
    except Exception as e:
        import traceback

        traceback.print_exc()
from math import coz
