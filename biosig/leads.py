"""From the heart's dipole to twelve leads, and from electrode potentials to leads.

The dipole lives in Frank's axes: x to the left, y to the feet, z to the back.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

# Rows I, II, V1..V6; columns x, y, z. Dower's transformation of the Frank vectorcardiogram.
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)

ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")


def _twelve() -> Float[np.ndarray, "12 8"]:
    """Rows in the standard order of the leads; columns I, II, V1..V6."""
    limb = np.array([[1, 0], [0, 1], [-1, 1], [-0.5, -0.5], [1, -0.5], [-0.5, 1]])
    matrix = np.zeros((12, 8))
    matrix[:6, :2] = limb
    matrix[6:, 2:] = np.eye(6)
    return matrix


def _from_electrodes() -> Float[np.ndarray, "8 9"]:
    """Rows I, II, V1..V6; columns as in `ELECTRODES`. Precordial leads are against Wilson's central terminal."""
    matrix = np.zeros((8, 9))
    matrix[0, [0, 1]] = -1, 1
    matrix[1, [0, 2]] = -1, 1
    matrix[2:, :3] = -1 / 3
    matrix[2:, 3:] = np.eye(6)
    return matrix


TWELVE_FROM_EIGHT = _twelve()
EIGHT_FROM_ELECTRODES = _from_electrodes()
# The two directions that define the electrical axis: I, and aVF in the same unit (Goldberger's leads come out
# sqrt(3)/2 too short).
_FRONTAL = np.array([[1.0, 0.0], [-0.5, 1.0]]) * np.array([[1.0], [2 / np.sqrt(3)]])


def frontal(field: Float[np.ndarray, "8 3"], vector: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 2"]:
    """The vector as leads I and (2/sqrt 3) aVF see it."""
    seen: Float[np.ndarray, " 2"] = _FRONTAL @ field[:2] @ vector
    return seen


def electrical_axis(field: Float[np.ndarray, "8 3"], vector: Float[np.ndarray, " 3"]) -> float:
    """Degrees; 0 points to the left arm, +90 to the feet."""
    lead_i, foot = frontal(field, vector)
    return float(np.degrees(np.arctan2(foot, lead_i)))


def turn(degrees: float, about: int) -> Float[np.ndarray, "3 3"]:
    """Rotation about axis x (0), y (1) or z (2); about z, positive turns from the left arm towards the feet."""
    a, b = (about + 1) % 3, (about + 2) % 3
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.eye(3)
    rotation[a, a] = rotation[b, b] = cosine
    rotation[a, b], rotation[b, a] = -sine, sine
    return rotation


def turn_to_axis(
    field: Float[np.ndarray, "8 3"], vector: Float[np.ndarray, " 3"], degrees: float
) -> Float[np.ndarray, "3 3"]:
    r"""The rotation about z after which the vector has the wanted electrical axis in these leads.

    With w the direction across the wanted axis, w^T F R_z(theta) v = A cos(theta) + B sin(theta) + C = 0 has two
    solutions; the one that points along the axis, not against it, is taken. The lead field is not orthogonal, so a
    turn by the difference of two angles would miss.
    """
    wanted = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    across = np.array([wanted[1], -wanted[0]]) @ _FRONTAL @ field[:2]
    x, y, z = vector
    cosine, sine, constant = across[0] * x + across[1] * y, across[1] * x - across[0] * y, across[2] * z
    size = np.hypot(cosine, sine)
    if size == 0:
        return np.eye(3)
    # A turn that cannot reach the axis goes as near as it can; clipped first, a tiny size overflows nothing.
    middle, spread = np.arctan2(sine, cosine), np.arccos(np.clip(-constant, -size, size) / size)
    turns = [turn(float(np.degrees(angle)), about=2) for angle in (middle - spread, middle + spread)]
    return max(turns, key=lambda rotation: float(wanted @ frontal(field, rotation @ vector)))
