"""Logistic regression on hashed n-grams, exact and fast: solved in the Gram space of the training posts.

Rows are few (thousands) and columns many (2^18), so the Gram matrix's Cholesky factor is an isometric
n-column copy of the data; L-BFGS runs on that, and the weights come back as one sparse product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize

from . import cues, hashing

DENSE = cues.SIZE


def counts(texts: Sequence[str], cut: Callable[[str], Sequence[str]], bits: int = hashing.BITS) -> sparse.csr_matrix:
    """1 + log counts of hashed n-grams: [n, 2^bits]."""
    found = [hashing.buckets(t, cut, bits=bits) for t in texts]
    ends = np.cumsum([0] + [len(b) for b, _ in found])
    values = 1 + np.log(np.concatenate([c for _, c in found]))
    return sparse.csr_matrix(
        (values.astype(np.float32), np.concatenate([b for b, _ in found]), ends), (len(texts), 1 << bits)
    )


def inverse_frequency(x: sparse.csr_matrix) -> np.ndarray:
    """Smoothed idf of each bucket; 0 for buckets in fewer than two posts: [2^bits] float32."""
    frequency = np.bincount(x.indices, minlength=x.shape[1])
    idf = np.log((1 + x.shape[0]) / (1 + frequency)) + 1
    return np.where(frequency >= 2, idf, 0).astype(np.float32)


def scaled(x: sparse.csr_matrix, idf: np.ndarray) -> sparse.csr_matrix:
    """TF-IDF rows of unit length."""
    y = x.multiply(idf[None]).tocsr()
    y.eliminate_zeros()
    norms = np.sqrt(np.asarray(y.multiply(y).sum(1)).ravel())
    norms[norms == 0] = 1
    return (sparse.diags(1 / norms) @ y).tocsr().astype(np.float32)


@dataclass(frozen=True)
class Solution:
    """Dual coefficients over the training rows [n, k] and the intercepts [k]."""

    dual: np.ndarray
    intercept: np.ndarray


def solve(k: np.ndarray, targets: np.ndarray, weights: np.ndarray, c: float, steps: int = 120) -> Solution:
    """Multinomial LR with soft `targets` [n, classes] on Gram matrix `k` [n, n]; `c` as in scikit-learn."""
    n, classes = targets.shape
    factor = cholesky(k + 1e-4 * np.eye(n, dtype=np.float32), lower=True).astype(np.float32)
    soft, w = targets.astype(np.float32), weights.astype(np.float32)[:, None]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        beta = flat.reshape(n + 1, classes).astype(np.float32)
        logits = factor @ beta[:n] + beta[n]
        logits -= logits.max(1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        slope = w * (np.exp(log_p) * soft.sum(1, keepdims=True) - soft)
        value = -float((w * soft * log_p).sum()) + 0.5 / c * float((beta[:n] ** 2).sum())
        gradient = np.concatenate([factor.T @ slope + beta[:n] / c, slope.sum(0, keepdims=True)])
        return value, gradient.ravel().astype(np.float64)

    best = minimize(
        loss, np.zeros((n + 1) * classes), jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 10}
    )
    beta = best.x.reshape(n + 1, classes)
    dual = solve_triangular(factor, beta[:n], lower=True, trans="T")
    return Solution(dual.astype(np.float32), beta[n].astype(np.float32))


def probabilities(solution: Solution, k: np.ndarray) -> np.ndarray:
    """Softmax over classes; `k` [m, n] are inner products with the training rows."""
    logits = k @ solution.dual + solution.intercept
    logits -= logits.max(1, keepdims=True)
    e = np.exp(logits)
    return e / e.sum(1, keepdims=True)
