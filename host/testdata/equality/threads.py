import concurrent.futures
import threading

print(threading.current_thread().name, threading.active_count(), threading.main_thread().is_alive())
try:
    threading.Thread(target=print, args=("in a thread",)).start()
except RuntimeError as e:
    print(e)
lock = threading.Lock()
with lock:
    print(lock.locked())
print(threading.Event().wait(0.001))
local = threading.local()
local.x = 1
print(local.x, threading.get_ident() == threading.main_thread().ident)
with concurrent.futures.ThreadPoolExecutor() as pool:
    print(list(pool.map(abs, [-1])))
