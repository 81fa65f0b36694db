class E(Exception):
    def __str__(self):
        raise ValueError("inside")


raise E("x")
