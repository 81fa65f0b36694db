for name in list(globals()):
    if name != "__builtins__" and name != "name":
        del globals()[name]
print("ok")
undefined
