# Lists a full directory again and again, from its start and only for the first entries.
#
# status: out_of_fuel
# exit: 137
# fuel: 400_000_000
import os

for n in range(300):
    os.mkdir(f"/app/{n}")
while True:
    with os.scandir("/app") as entries:
        next(entries)
