"""Call itself without end. Python stops this itself, with a RecursionError."""


def again(n):
    return again(n + 1)


again(0)
