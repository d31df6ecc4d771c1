"""The Frechet distance of two clouds of features, which FID is with features of Inception (Heusel et al., 2017)."""

import torch
from torch import Tensor


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Features [n, d] and [m, d] -> the squared distance of two normal distributions; 0 or more, lower is nearer.

        |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))

    with means m and unbiased covariances C. The trace of the root is taken from C1^(1/2) C2 C1^(1/2), which has the
    same eigenvalues and is symmetric, so nothing has to be added to the diagonal where a covariance is singular.
    """
    first, second = first.double(), second.double()
    apart = (first.mean(dim=0) - second.mean(dim=0)).square().sum()
    covariance, other = (torch.atleast_2d(features.T.cov()) for features in (first, second))
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ other @ root).clamp(min=0).sqrt().sum()
    return float((apart + covariance.trace() + other.trace() - 2 * cross).clamp(min=0))
