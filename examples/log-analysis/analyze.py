"""Summarise a web server's access log from standard input.

Expects the combined log format with the response time in milliseconds at the
end. Lines that do not match are counted, never guessed at.
"""

import re
import sys
from collections import Counter, defaultdict

LINE = re.compile(
    r'(?P<address>\S+) \S+ \S+ \[\d+/\w+/\d+:(?P<hour>\d\d):[^]]*\] '
    r'"(?P<method>[A-Z]+) (?P<path>[^ ?"]+)[^"]*" (?P<status>\d{3}) (?P<size>\d+|-) '
    r'"[^"]*" "(?P<agent>[^"]*)" (?P<ms>\d+)$'
)


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


times = defaultdict(list)
errors = Counter()
statuses = Counter()
failures_by_hour = Counter()
size = skipped = 0
for text in sys.stdin:
    match = LINE.match(text)
    if not match:
        skipped += 1
        continue
    path = re.sub(r"/\d+", "/{id}", match["path"])
    status = match["status"]
    times[path].append(int(match["ms"]))
    statuses[status[0] + "xx"] += 1
    if status[0] in "45":
        errors[path] += 1
    if status[0] == "5":
        failures_by_hour[match["hour"]] += 1
    size += 0 if match["size"] == "-" else int(match["size"])

total = sum(statuses.values())
if not total:
    sys.exit("no line of the input is in the combined log format")

print(f"{total} requests, {size / 1e6:.1f} MB, {skipped} lines skipped")
print("  ".join(f"{status} {count} ({count / total:.1%})" for status, count in sorted(statuses.items())))
print()
print(f"{'path':<18}{'requests':>9}{'errors':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}")
for path, values in sorted(times.items(), key=lambda item: -len(item[1]))[:10]:
    values.sort()
    marks = "".join(f"{percentile(values, share):>8}" for share in (0.50, 0.95, 0.99))
    print(f"{path:<18}{len(values):>9}{errors[path] / len(values):>8.1%}{marks}")

if failures_by_hour:
    hour, count = failures_by_hour.most_common(1)[0]
    print(f"\nworst hour: {hour}:00 with {count} server errors")
