"""Where cells are run: in this process, in several local ones, or on the machines of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any

from shouwang import lookup
from shouwang.benchmark.grid import Cell, Job, check_writable, run_job, state
from shouwang.errors import InputError, MissingExtraError
from shouwang.language import say

Ended = Iterator[tuple[Job, str | None]]
"""Each job as it ends, with the reason when it could not be finished."""


@dataclass(frozen=True, slots=True)
class Done:
    """A cell, whether it was run just now, the file that made it run again, and why it could not be finished."""

    cell: Cell
    ran: bool
    broken: str | None = None
    problem: str | None = None


def run(jobs: Sequence[Job], *, processes: int = 1, engine: str = "local") -> Iterator[Done]:
    """Run what is not finished; yields every cell, the finished first, the others as they end.

    A cell that cannot be finished says why, and the others go on. Raises InputError for an unknown engine, fewer than
    one process, a results folder that cannot be written to, and a local process that was killed.
    """
    ended = lookup.get(ENGINES, engine, "engine")
    if processes < 1:
        raise InputError(say(f"{processes} processes; expected 1 or more", f"进程数为 {processes}；应为 1 或更多"))
    for root in {job.root for job in jobs}:
        check_writable(root)
    states = [(job, state(job)) for job in jobs]
    yield from (Done(job.cell, ran=False) for job, found in states if found.finished)
    todo = [job for job, found in states if not found.finished]
    broken = {job.cell: found.broken for job, found in states}
    for job, problem in ended(todo, processes) if todo else ():
        yield Done(job.cell, ran=problem is None, broken=broken[job.cell], problem=problem)


def _local(jobs: Sequence[Job], processes: int) -> Ended:
    if processes == 1:
        yield from ((job, run_job(job)) for job in jobs)
        return
    pool = ProcessPoolExecutor(min(processes, len(jobs)), get_context("spawn"), _one_thread)
    try:
        waiting = {pool.submit(run_job, job): job for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BrokenProcessPool:
        raise InputError(
            say(
                "a process was killed while it ran a cell, most often for want of memory; finished cells are kept. "
                f"Give the same command again, with fewer than --processes {processes}",
                "有进程在运行一格时被终止，多因内存不足；已完成的格都保留。"
                f"请再次输入同一命令，--processes 小于 {processes}",
            )
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    """Before the heavy libraries are imported in a new process."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _ray(jobs: Sequence[Job], processes: int) -> Ended:
    """A cluster named by RAY_ADDRESS, else a Ray of `processes` workers on this machine.

    Every machine needs shouwang, the models' files and the results folder at the same path.
    """
    if find_spec("ray") is None:
        raise MissingExtraError("--engine ray", "ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    address = os.environ.get("RAY_ADDRESS")
    place: dict[str, Any] = {"address": address} if address else {"address": "local", "num_cpus": processes}
    ray.init(include_dashboard=None if address else False, log_to_driver=False, **place)
    try:
        gpus = ray.cluster_resources().get("GPU", 0)
        task = ray.remote(run_job)
        waiting = {_submit(task, job, gpus): job for job in jobs}
        while waiting:
            (ref,), _ = ray.wait(list(waiting), num_returns=1)
            job = waiting.pop(ref)
            try:
                problem = ray.get(ref) or _unseen(job)
            except ray.exceptions.RayError as error:  # after Ray has tried again, three times
                problem = _lost(type(error).__name__)
            yield job, problem
    finally:
        ray.shutdown()


def _submit(task: Any, job: Job, gpus: float) -> Any:
    return task.options(num_cpus=1, num_gpus=1 if gpus and job.contender.on_gpu else 0).remote(job)


def _unseen(job: Job) -> str | None:
    if state(job).finished:
        return None
    folder = job.cell.folder(job.root)
    return say(
        f"{folder}: run elsewhere and not seen here; --output must lie on storage all machines share",
        f"{folder}：在别的机器上运行，这里看不到；--output 须在各机共享的存储上",
    )


def _lost(kind: str) -> str:
    return say(
        f"its Ray worker was lost ({kind}), most often for want of memory; give the same command again",
        f"运行它的 Ray 进程已丢失（{kind}），多因内存不足；请再次输入同一命令",
    )


ENGINES: dict[str, Callable[[Sequence[Job], int], Ended]] = {"local": _local, "ray": _ray}
