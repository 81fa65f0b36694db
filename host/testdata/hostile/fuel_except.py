# Catches whatever can be caught, and goes on.
#
# status: out_of_fuel
# exit: 137
# fuel: 30_000_000
def spin():
    while True:
        try:
            while True:
                pass
        except BaseException:
            print("caught")
        finally:
            spin()
spin()
