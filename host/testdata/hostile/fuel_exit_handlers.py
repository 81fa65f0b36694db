# Starts its real work when the program is over.
#
# status: out_of_fuel
# exit: 137
# fuel: 30_000_000
# stdout: "bye\n"
import atexit
class Undead:
    def __del__(self):
        while True:
            pass
@atexit.register
def later():
    print("bye")
    while True:
        pass
undead = Undead()
