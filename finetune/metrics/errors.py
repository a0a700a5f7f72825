"""How far predicted numbers are from true ones, in every draw of a bootstrap at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

#: In the order of a table. Less is better of the first two, more of the last two.
ERRORS = ("mae", "rmse", "r2", "pearson")


def regression_errors(
    predicted: Float[np.ndarray, " row"], true: Float[np.ndarray, " row"], weights: Float64[np.ndarray, "row draws"]
) -> dict[str, Float64[np.ndarray, " draws"]]:
    r"""Mean absolute error, root mean square error, R2 and Pearson's r, weighted by how often a record is drawn.

        R2 = 1 - sum w (y - p)^2 / sum w (y - mean_w y)^2

    R2 of whoever always says the mean of these records is 0; of the mean of others it is below. Where all predictions
    or all truths of a draw are alike, what is not defined is NaN.

    Args:
        predicted: Of each record.
        true: The same number, known.
        weights: See `finetune.metrics.bootstrap.subject_weights`.
    """
    share = weights / weights.sum(0)
    error = predicted - true
    mae, mse = share.T @ np.abs(error), share.T @ np.square(error)
    # About a common centre, so that variances keep their digits.
    y, p = true - true.mean(), predicted - predicted.mean()
    mean_y, mean_p = share.T @ y, share.T @ p
    var_y, var_p = share.T @ y**2 - mean_y**2, share.T @ p**2 - mean_p**2
    covariance = share.T @ (y * p) - mean_y * mean_p
    moves_y, moves_p = (
        part > 1e-12 * max(float(np.square(whole).max()), 1e-300) for part, whole in ((var_y, true), (var_p, predicted))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(moves_y, 1 - mse / var_y, np.nan)
        pearson = np.where(moves_y & moves_p, covariance / np.sqrt(var_y * var_p), np.nan)
    return {"mae": mae, "rmse": np.sqrt(mse), "r2": r2, "pearson": pearson}
