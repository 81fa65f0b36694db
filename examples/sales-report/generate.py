"""Write sales.csv: the sales of a small coffee roastery in one year.

The figures are invented, and the same on every run: they come from a seeded
generator and follow a few habits of real shops, such as a busy December, a quiet
August, dear gift boxes, and now and then an order that was sent back.
"""

import csv
import random
from datetime import date, timedelta

PRODUCTS = {  # name: price, share of the orders
    "House blend 250g": (7.90, 34),
    "House blend 1kg": (27.50, 18),
    "Single origin 250g": (11.40, 22),
    "Decaf 250g": (8.60, 12),
    "Grinder": (89.00, 4),
    "Gift box": (42.00, 10),
}
REGIONS = ["north", "south", "east", "west", "online"]
SEASON = [9, 8, 9, 10, 10, 9, 7, 6, 9, 11, 14, 18]  # orders a month, relative

random.seed(20240101)
names = list(PRODUCTS)
shares = [PRODUCTS[name][1] for name in names]
days = [date(2024, 1, 1) + timedelta(days=i) for i in range(366)]
seasons = [SEASON[day.month - 1] for day in days]

with open("sales.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["order", "date", "region", "product", "units", "unit_price", "returned"])
    for order, day in enumerate(sorted(random.choices(days, seasons, k=1200)), start=10_001):
        name = random.choices(names, shares)[0]
        price = PRODUCTS[name][0]
        if day.month in (1, 7):
            price = round(price * 0.9, 2)  # sale
        units = 1 if name == "Grinder" else 1 + min(random.getrandbits(5) // 4, random.getrandbits(3))
        returned = "yes" if random.random() < 0.03 else "no"
        out.writerow([order, day, random.choice(REGIONS), name, units, f"{price:.2f}", returned])
