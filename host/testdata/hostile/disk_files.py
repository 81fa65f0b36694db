# Makes files until it may not.
#
# status: disk_quota
# exit: 137
# files: 100
i = 0
while True:
    open(f"f{i}", "w").close()
    i += 1
