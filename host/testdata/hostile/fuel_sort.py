# Sorts with a comparison that never tells the same twice.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
import random
class Liar:
    def __lt__(self, other):
        return random.random() < 0.5
while True:
    sorted([Liar() for _ in range(1000)])
