# Writes without end, where the profile ends programs that do.
#
# status: output_limit
# exit: 137
# profile: stop
# stdout cap: 10KB
# truncated: yes
# error: output_limit
while True:
    try:
        print("x" * 999)
    except BaseException:
        pass
