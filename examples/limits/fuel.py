"""Count for ever. Fuel counts instructions, so this ends at the same one each time."""

n = 0
while True:
    n += 1
