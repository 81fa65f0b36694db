print(exit, quit)
quit(3)
