import logging

logging.warning("to the root")
logging.info("unseen")
log = logging.getLogger("app.part")
log.error("an error %d", 3)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("caught")
