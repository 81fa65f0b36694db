# Fills memory to the last byte with small objects, so that nothing is left to
# report with.
#
# status: out_of_memory
# exit: 137
# memory: 24MiB
a = []
while True:
    a = [a, len(a)]
