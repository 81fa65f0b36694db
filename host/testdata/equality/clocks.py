import datetime
import time

assert 1_700_000_000 < time.time() < 5_000_000_000
assert abs(time.time() - time.time_ns() / 1e9) < 5
assert abs(datetime.datetime.now(datetime.UTC).timestamp() - time.time()) < 5
a = time.monotonic(), time.perf_counter()
sum(range(200_000))
b = time.monotonic(), time.perf_counter()
print([x < y for x, y in zip(a, b)])
print(time.tzname, time.timezone, time.localtime(0)[:6], time.strftime("%Z", time.localtime()))
print(time.get_clock_info("monotonic"), time.get_clock_info("time"))
print(datetime.date.today() == datetime.datetime.now().date())
