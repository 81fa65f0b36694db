import logging
import logging.handlers

target = logging.StreamHandler()
target.setFormatter(logging.Formatter("%(levelname)s %(filename)s:%(lineno)d %(funcName)s %(process)s %(threadName)s %(message)s"))
memory = logging.handlers.MemoryHandler(100, target=target)
logging.basicConfig(handlers=[memory], level=logging.DEBUG)


def work():
    logging.debug("kept until the end")


work()
print("end")
