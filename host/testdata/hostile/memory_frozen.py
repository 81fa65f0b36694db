# Fills memory to the last byte and keeps it full while it fails, so that nothing
# is left to report the failure with.
#
# status: out_of_memory
# exit: 137
# memory: 24MiB
import builtins
builtins.kept = kept = []
while True:
    kept.append((len(kept),))
