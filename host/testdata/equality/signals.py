import signal

print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
try:
    signal.signal(signal.SIGTERM, lambda *a: print("handled"))
    signal.raise_signal(signal.SIGTERM)
except (OSError, ValueError, AttributeError) as e:
    print(type(e).__name__, e)
print(sorted(s.name for s in signal.Signals)[:3])
