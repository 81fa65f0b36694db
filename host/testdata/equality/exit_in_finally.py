try:
    raise SystemExit(5)
finally:
    print("finally")
    import sys

    sys.exit(6)
