import atexit


def again():
    print("again")
    atexit.register(print, "registered while leaving")


atexit.register(again)
atexit.unregister(print)
raise SystemExit(3)
