import logging


class Handler(logging.Handler):
    def emit(self, record):
        print(record.getMessage())

    def flush(self):
        raise KeyError("in flush")


logging.basicConfig(handlers=[Handler()])
logging.error("text")
