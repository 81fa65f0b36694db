import threading

print([threading.Thread().name for _ in range(2)], threading.Timer(1, print).daemon)
