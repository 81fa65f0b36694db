"""Write access.log: one day of a small web shop, in the combined log format.

The lines are invented, and the same on every run: traffic follows the hours of
the day, a crawler visits, a scanner looks for holes, and for forty minutes in
the afternoon the search service fails. Addresses are from the ranges that
RFC 5737 reserves for documentation.
"""

import random
from datetime import datetime, timedelta

PAGES = [  # path, share of the requests, typical bytes, typical milliseconds
    ("/", 22, 18_400, 38),
    ("/products", 16, 42_100, 74),
    ("/products/{id}", 24, 27_300, 55),
    ("/search?q={word}", 12, 21_900, 140),
    ("/cart", 8, 9_800, 61),
    ("/checkout", 3, 12_600, 230),
    ("/static/app.css", 8, 61_000, 3),
    ("/static/app.js", 7, 148_000, 4),
]
WORDS = ["coffee", "grinder", "decaf", "gift", "filter", "espresso"]
HOLES = ["/wp-login.php", "/.env", "/admin", "/phpmyadmin/", "/.git/config"]
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0"
HOURS = [2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 14, 15, 14, 13, 13, 14, 15, 17, 18, 16, 12, 8, 4]

random.seed(5737)
midnight = datetime(2024, 5, 14)
seconds = sorted(3600 * random.choices(range(24), HOURS)[0] + random.randrange(3600) for _ in range(2000))
shares = [page[1] for page in PAGES]


def request(second):
    kind = random.random()
    if kind < 0.03:
        path, status, size, ms = random.choice(HOLES), 404, 512, 2
        return "203.0.113.66", "GET", path, status, size, ms, "curl/8.5.0"
    path, _, size, ms = random.choices(PAGES, shares)[0]
    path = path.format(id=random.randrange(1, 60), word=random.choice(WORDS))
    method = "POST" if path == "/checkout" else "GET"
    status = 200
    if path.startswith("/search") and 15 * 3600 <= second < 15 * 3600 + 2400:
        status, size, ms = 503, 320, 5_000
    elif path.startswith("/products/") and random.random() < 0.02:
        status, size = 404, 2_100
    elif path == "/checkout" and random.random() < 0.06:
        status, size = 500, 900
    elif random.random() < 0.04:
        status, size, ms = 304, 0, 2
    ms = max(1, round(ms * random.lognormvariate(0, 0.5)))
    size = round(size * random.uniform(0.9, 1.1))
    if kind < 0.10:
        return "198.51.100.7", "GET", path, status, size, ms, "ExampleBot/2.1"
    return f"192.0.2.{random.randrange(1, 255)}", method, path, status, size, ms, BROWSER


with open("access.log", "w") as file:
    for second in seconds:
        address, method, path, status, size, ms, agent = request(second)
        when = (midnight + timedelta(seconds=second)).strftime("%d/%b/%Y:%H:%M:%S +0000")
        file.write(f'{address} - - [{when}] "{method} {path} HTTP/1.1" {status} {size} "-" "{agent}" {ms}\n')
