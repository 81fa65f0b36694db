"""Integers: a linear congruential generator in a plain loop."""


def run(rounds):
    state = 1
    for i in range(rounds):
        state = (state * 1103515245 + 12345 + i) & 0x7FFFFFFF
        if state & 1:
            state ^= i
    return state


print("loop", run(100_000))
