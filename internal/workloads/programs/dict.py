"""Dictionaries and strings: count made-up words, then look every one up."""


def run(rounds):
    counts = {}
    state = 7
    for _ in range(rounds):
        state = (state * 16807) % 2147483647
        word = "w%d" % (state % 5003)
        counts[word] = counts.get(word, 0) + 1
    total = 0
    for word, count in counts.items():
        total = (total * 31 + len(word) * count) % 1_000_000_007
    return len(counts), total


print("dict", *run(40_000))
