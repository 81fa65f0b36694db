# Has a format string make a huge text.
#
# status: out_of_memory
# exit: 137
# memory: 48MiB
"%*d" % (1 << 30, 1)
