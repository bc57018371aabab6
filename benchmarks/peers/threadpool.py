"""Runs one workload on Python's own multiprocessing.pool.ThreadPool and prints
what it cost as one line of JSON. Arguments: workload, workers, n, and what the
workload needs besides."""

import json
import platform
import sys
import threading
import time
from multiprocessing.pool import ThreadPool


def empty():
    pass


def square(i):
    return i * i


def nap(_=None):
    time.sleep(0.001)


def submit(workers, n, producers):
    pool = ThreadPool(workers)

    def produce():
        for _ in range(n // producers):
            pool.apply_async(empty)

    threads = [threading.Thread(target=produce) for _ in range(producers)]
    start()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    pool.close()
    pool.join()
    stop(n // producers * producers)


def result(workers, n):
    pool = ThreadPool(workers)
    start()
    results = [pool.apply_async(square, (i,)) for i in range(n)]
    total = sum(r.get() for r in results)
    stop(n)
    check(total, n)
    pool.terminate()


def apply(workers, n):
    pool = ThreadPool(workers)
    start()
    total = 0
    for i in range(n):
        total += pool.apply(square, (i,))
    stop(n)
    check(total, n)
    pool.terminate()


def map_(workers, n, items):
    pool = ThreadPool(workers)
    numbers = list(range(items))
    start()
    for _ in range(n // items):
        squares = pool.map(square, numbers)
    stop(n // items * items)
    check(sum(squares), items)
    pool.terminate()


def imap(workers, n, chunk):
    pool = ThreadPool(workers)
    start()
    total = sum(pool.imap(square, range(n), chunksize=chunk))
    stop(n)
    check(total, n)
    pool.terminate()


def imap_unordered(workers, n, chunk):
    pool = ThreadPool(workers)
    start()
    total = sum(pool.imap_unordered(square, range(n), chunksize=chunk))
    stop(n)
    check(total, n)
    pool.terminate()


def io(workers, n):
    pool = ThreadPool(workers)
    start()
    for _ in range(n):
        pool.apply_async(nap)
    pool.close()
    pool.join()
    stop(n)


def create(workers, n):
    start()
    for _ in range(n):
        pool = ThreadPool(workers)
        everybody = threading.Barrier(workers)
        for _ in range(workers):
            pool.apply_async(everybody.wait)
        pool.close()
        pool.join()
    stop(n)


began = None
cost = None


def start():
    global began
    began = (time.perf_counter_ns(), time.process_time_ns())


def stop(tasks):
    global cost
    cost = {
        "tasks": tasks,
        "wall": time.perf_counter_ns() - began[0],
        "cpu": time.process_time_ns() - began[1],
        "version": platform.python_implementation() + " " + platform.python_version(),
    }


def check(total, n):
    want = sum(i * i for i in range(n))
    if total != want:
        sys.exit(f"the results add up to {total}; want {want}")


if __name__ == "__main__":
    workloads = {
        "submit": submit,
        "result": result,
        "apply": apply,
        "map": map_,
        "imap": imap,
        "imap_unordered": imap_unordered,
        "io": io,
        "create": create,
    }
    workloads[sys.argv[1]](*(int(a) for a in sys.argv[2:]))
    print(json.dumps(cost))
