"""Where replicas are born: a process that has imported everything and forks whole commands.

    python -m tests.crash.nursery [BUG]

What it forks runs `tocsin` as the command line does, in a process and a process group of its
own. Imports are most of what a start costs; paying them once is what lets a run kill hundreds
of replicas on two cores. It is told what to do in JSON, one line at a time, and answers in
the same way. When whoever drives it is gone, it takes everything with it.
"""

import gc
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from app import cli
from tests.crash import planted


def main() -> None:
    for bug in sys.argv[1:]:
        planted.plant(bug)
    gc.freeze()  # or every child's first collection would copy all of this memory
    children: set[int] = set()
    print(json.dumps({"born": os.getpid()}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        match asked["do"]:
            case "start":
                answer: dict[str, Any] = {"pid": _fork(asked)}
                children.add(answer["pid"])
            case "reap":
                answer = {"ended": _ended(children)}
            case unknown:
                raise ValueError(f"cannot {unknown!r}")
        print(json.dumps(answer), flush=True)
    for pid in children:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _ended(children: set[int]) -> dict[int, int]:
    """The children that have ended since last asked, with how."""
    ended = {}
    for pid in list(children):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended[pid] = os.waitstatus_to_exitcode(status)
            children.discard(pid)
    return ended


def _fork(asked: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(asked)
    with suppress(ProcessLookupError, PermissionError):  # so that it can be killed from now on
        os.setpgid(pid, pid)
    return pid


def _become(asked: dict[str, Any]) -> NoReturn:
    """Be a command from here on."""
    status = 1
    try:
        os.setpgid(0, 0)
        log = os.open(Path(asked["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["tocsin", *asked["arguments"]]
        cli.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
