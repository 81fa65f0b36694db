# Polls with arguments beyond reason.
#
# status: timeout
# exit: 124
# timeout: 2s
# stdout has: "polled"
import select
for call in (
    lambda: select.select([0] * 5000, [], [], 0),
    lambda: select.select([-1], [], [], 0),
    lambda: select.select([10**6], [], [], 0),
    lambda: select.select(range(1000), range(1000), range(1000), 0),
    lambda: select.poll(),
    lambda: select.epoll(),
):
    try:
        call()
    except (ValueError, OSError, AttributeError, OverflowError):
        pass
print("polled")
select.select([], [], [], 9e9)
