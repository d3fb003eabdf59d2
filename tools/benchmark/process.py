"""Runs one program and tells what it cost: CPU time of that process alone (wait4), or what a tool counted in it."""
import json
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass


class Failed(Exception):
    """A program did not do what it was started for; nothing that was measured counts."""


@dataclass
class Finished:
    output: str
    cpu_seconds: float  # user and system
    seconds: float
    count: int = 0      # what the tool counted, if there was one

    def json(self):
        return json.loads(self.output)


def cores():
    """(of the servers, of what is measured): the last core is the servers' own where there are two."""
    all_cores = sorted(os.sched_getaffinity(0))
    return ({all_cores[-1]}, set(all_cores[:-1])) if len(all_cores) > 1 else (set(all_cores), set(all_cores))


def plain(command, environment, on_cores):
    """Output goes to files: a pipe would have the program wait for us."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   preexec_fn=lambda: os.sched_setaffinity(0, on_cores))
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:  # we are to stop: so is the program
            process.kill()
            process.wait()
            raise
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            raise Failed(f"{' '.join(command)}: exit {process.returncode}\n{(err.read() + out.read())[-2000:]}")
        return Finished(out.read(), used.ru_utime + used.ru_stime, seconds)


def counting_allocations(counter):
    """As plain(), with a library preloaded that counts what is asked of the heap."""
    def run(command, environment, on_cores):
        with tempfile.NamedTemporaryFile("r") as told:
            finished = plain(command, {**environment, "LD_PRELOAD": counter, "BENCH_ALLOCATIONS": told.name}, on_cores)
            text = told.read()
        if not text:
            raise Failed(f"{command[0]}: its allocations were not counted")
        finished.count = int(text)
        return finished
    return run


def counting_system_calls(command, environment, on_cores):
    """As plain(), under strace: slower, so that more is ready whenever the program looks."""
    with tempfile.NamedTemporaryFile("r") as told:
        finished = plain(["strace", "-f", "-c", "-U", "calls,name", "-o", told.name, *command], environment, on_cores)
        total = re.search(r"^\s*(\d+) total$", told.read(), re.MULTILINE)
    if total is None:
        raise Failed("strace told no total")
    finished.count = int(total[1])
    return finished


def can_trace():
    try:
        return subprocess.run(["strace", "-c", "-o", "/dev/null", "true"], capture_output=True).returncode == 0
    except OSError:
        return False
