import time

before = time.monotonic()
time.sleep(0.05)
print(time.monotonic() - before >= 0.05)
for wrong in (-1, float("nan"), "1", float("inf"), 1e30):
    try:
        time.sleep(wrong)
    except Exception as e:
        print(type(e).__name__, e)
