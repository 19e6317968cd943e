"""Forks a process for each order from one that has imported everything, in milliseconds.

Orders are JSON messages on the socket that is its standard input, with the descriptors that become
the child's output; answers go back the same way. Its end, or its parent's, ends its children.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

MAX_ORDER_BYTES = 64 << 10

Main = Callable[[dict[str, Any]], int]
"""What a child does with its order, its environment being set; returns its exit status."""


def _become(main: Main, order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    nothing = os.open(os.devnull, os.O_RDONLY)
    out, errors, gate = descriptors
    for descriptor, place in ((nothing, 0), (out, 1), (errors, 2)):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.environ.update(order["environment"])
    os.read(gate, 1)  # whoever wants to look on (strace) has come by then
    os.close(gate)
    status = 70
    try:
        status = main(order)
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _serve_orders(orders: socket.socket, main: Main) -> None:
    children: set[int] = set()
    while True:
        payload, descriptors, _, _ = socket.recv_fds(orders, MAX_ORDER_BYTES, 3)
        if not payload:
            break
        order = json.loads(payload)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            children.discard(order["reap"])
            answer = {"status": os.waitstatus_to_exitcode(status)}
        else:
            child = os.fork()
            if child == 0:
                orders.close()
                _become(main, order, descriptors)
            children.add(child)
            for descriptor in descriptors:
                os.close(descriptor)
            answer = {"pid": child}
        orders.send(json.dumps(answer).encode())
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def run_zygote(main: Main, imported_before: Iterable[str]) -> None:
    """`imported_before`: what a child imports late, or by name, when it is first needed."""
    for name in imported_before:
        importlib.import_module(name)
    gc.freeze()
    with socket.socket(fileno=0) as standard_input:
        _serve_orders(standard_input, main)
