import logging

print(logging.getLogger().handlers)
logging.getLogger("x").critical("last resort")
record = logging.LogRecord("n", 10, "p", 1, "m", (), None)
print(0 <= record.relativeCreated < 60_000)
