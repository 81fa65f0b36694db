"""Revenue by product and month from /data/sales.csv.

Prints a table and writes the same figures to report.json in the workspace.
"""

import csv
import json
from collections import defaultdict
from decimal import Decimal

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

revenue = defaultdict(lambda: [Decimal(0)] * 12)
orders = returned = 0
with open("/data/sales.csv", newline="") as file:
    for row in csv.DictReader(file):
        orders += 1
        if row["returned"] == "yes":
            returned += 1
            continue
        month = int(row["date"][5:7]) - 1
        revenue[row["product"]][month] += int(row["units"]) * Decimal(row["unit_price"])

totals = {product: sum(months) for product, months in revenue.items()}
ranking = sorted(totals, key=totals.get, reverse=True)
by_month = [sum(revenue[product][m] for product in ranking) for m in range(12)]


def line(name, months, total):
    print(f"{name:<20}" + "".join(f"{m:>7,.0f}" for m in months) + f"{total:>11,.2f}")


print(f"{'Revenue':<20}" + "".join(f"{m:>7}" for m in MONTHS) + f"{'Year':>11}")
for product in ranking:
    line(product, revenue[product], totals[product])
line("Total", by_month, sum(by_month))
best = max(range(12), key=by_month.__getitem__)
print(f"\n{orders} orders, {returned} returned ({returned / orders:.1%}); best month: {MONTHS[best]}")

with open("report.json", "w") as file:
    json.dump(
        {
            "orders": orders,
            "returned": returned,
            "revenue": {p: [str(m) for m in revenue[p]] for p in ranking},
            "total": str(sum(by_month)),
        },
        file,
        indent=2,
    )
