# Sleeps for times that are none.
#
# status: ok
# exit: 0
# stdout: "ValueError\nValueError\nOverflowError\nOverflowError\nOverflowError\nawake\n"
import time
for t in (-1, float("nan"), float("inf"), -float("inf"), 1e300):
    try:
        time.sleep(t)
    except (ValueError, OverflowError) as e:
        print(type(e).__name__)
time.sleep(0)
time.sleep(1e-9)
print("awake")
