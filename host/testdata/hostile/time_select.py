# Waits for nothing, for ever.
#
# status: timeout
# exit: 124
# timeout: 300ms
import select
select.select([], [], [], 10**9)
