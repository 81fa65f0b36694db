class E(Exception):
    def __str__(self):
        raise SystemExit(5)


raise E
