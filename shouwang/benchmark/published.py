"""What the paper reports, to stand beside our scores.

Qi et al., *SOS-1K*, IEEE SMC 2024, arXiv 2404.12659. Only figures that could be verified while this was written: the best
of each task, by Chinese MentalBERT. To add one, take it from the paper's table.
"""

from __future__ import annotations

from shouwang.evaluate import Task

STUDY = "sos-1k"
PAPER = "Qi et al. 2024"
F1: dict[tuple[Task, str], float] = {("levels", "mentalbert"): 0.5089, ("high", "mentalbert"): 0.8839}
"""F1 (0-10: weighted) by task and model of the catalogue."""
