# Leaves a file whose name a terminal obeys: the host's list of files has it as it is,
# and who prints it must make it harmless.
#
# status: ok
# created: "/app/\x1b[31mred"
open("/app/\x1b[31mred", "w").close()
