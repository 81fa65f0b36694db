# Has the compiler's last stage recurse, which does not count how deep it is: that of
# 3.13 overflows its stack long before the stages that count refuse.
#
# status: error
# exit: 134
# error: trap
# exit 3.12: 1
# error 3.12: RecursionError
exec("if 0: pass\n" + "elif 0: pass\n" * 3000)
