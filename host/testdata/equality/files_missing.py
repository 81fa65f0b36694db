def read(name):
    with open(name) as f:
        return f.read()


read("/app/missing.txt")
