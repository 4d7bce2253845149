from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from shouwang.benchmark.contenders import contenders
from shouwang.benchmark.engines import run
from shouwang.benchmark.estimate import estimate
from shouwang.benchmark.grid import Job, cells, jobs, run_job, state
from shouwang.benchmark.results import read
from shouwang.errors import InputError, MissingExtraError
from tests.benchmark.invented import small_study

STUDY = small_study()


def some(root: Path, tasks: int = 2) -> list[Job]:
    grid = cells(STUDY, ["levels", "high"], ["tfidf-lr"])[: 4 * tasks]
    return jobs(STUDY, grid, contenders(["tfidf-lr"]), root)


def answers(root: Path) -> list[list[float]]:
    return [read(job.cell.folder(root)).answers.probabilities.ravel().tolist() for job in some(root)]


@pytest.mark.slow
def test_two_processes_finish_the_grid_with_the_same_answers_as_one(tmp_path: Path) -> None:
    done = list(run(some(tmp_path / "two"), processes=2))
    assert [each.problem for each in done if not each.ran] == []
    list(run(some(tmp_path / "one")))
    assert answers(tmp_path / "two") == answers(tmp_path / "one")
    assert not any(each.ran for each in run(some(tmp_path / "two"), processes=2))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'shouwang[ray]'")
def test_a_local_ray_of_two_workers_finishes_the_grid_with_the_same_answers(tmp_path: Path) -> None:
    done = list(run(some(tmp_path / "ray"), processes=2, engine="ray"))
    assert sorted(str(each.cell) for each in done if each.ran) == sorted(str(job.cell) for job in some(tmp_path))
    list(run(some(tmp_path / "one")))
    assert answers(tmp_path / "ray") == answers(tmp_path / "one")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'shouwang[ray]'")
def test_a_ray_worker_that_is_killed_costs_its_own_cell_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed_in_fold1(job: Job) -> str | None:
        if job.cell.round == "fold1":
            os.kill(os.getpid(), signal.SIGKILL)
        return run_job(job)

    monkeypatch.setattr("shouwang.benchmark.engines.run_job", killed_in_fold1)
    done = {each.cell.round: each.problem for each in run(some(tmp_path, tasks=1), processes=2, engine="ray")}
    assert "its Ray worker was lost" in str(done.pop("fold1"))
    assert set(done.values()) == {None}


def test_what_cannot_be_is_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="Did you mean 'ray'"):
        list(run(some(tmp_path), engine="rya"))
    with pytest.raises(InputError, match="0 processes; expected 1 or more"):
        list(run(some(tmp_path), processes=0))
    monkeypatch.setattr("shouwang.benchmark.engines.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"shouwang\[ray\]"):
        list(run(some(tmp_path), engine="ray"))
    assert not any(state(job).finished for job in some(tmp_path))


def test_time_is_judged_by_finished_cells_and_unknown_models_are_named(tmp_path: Path) -> None:
    everything = some(tmp_path)
    assert estimate(everything, tmp_path).unknown == ("tfidf-lr",)
    list(run(everything[:4]))
    took = [read(job.cell.folder(tmp_path)).seconds["total"] for job in everything[:4]]
    found = estimate(everything[4:], tmp_path)
    assert (found.known, found.unknown) == (4, ())
    assert found.seconds == pytest.approx(sum(took), rel=1)
