"""Keep busy inside one call of a built-in function, where no Python line runs."""

sum(range(10**12))
