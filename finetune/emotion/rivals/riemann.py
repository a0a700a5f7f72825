"""Covariances in the tangent space, with and without re-centring each subject at the identity."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from finetune.emotion.bench import Work
from finetune.emotion.features import Windowed
from finetune.emotion.normalise import by_training
from finetune.emotion.protocols import Access
from finetune.emotion.rivals.base import BOTH, RIVALS, Outcome, Rival
from finetune.emotion.rivals.entropy import classify
from finetune.emotion.targets import Trials


def recentred(matrices: Windowed, trials: Trials) -> Windowed:
    r"""Each subject's matrices C_i moved so that their Riemannian mean M is the identity: M^{-1/2} C_i M^{-1/2}.

    The mean is over the whole stream of the subject, every trial weighing the same: there is no causal form of this.

    References:
        Zanini et al., Transfer learning: a Riemannian geometry framework with applications to brain-computer
        interfaces, IEEE Trans. Biomedical Engineering 65 (2018).
    """
    from pyriemann.utils.base import invsqrtm  # noqa: PLC0415 -- only these rows need it
    from pyriemann.utils.mean import mean_riemann  # noqa: PLC0415 -- as above

    out = np.empty_like(matrices.values)
    person, weights = trials.subject[matrices.trial], matrices.trial_weights()
    for one in np.unique(person):
        of = person == one
        whitener = invsqrtm(mean_riemann(matrices.values[of], sample_weight=weights[of]))
        out[of] = whitener @ matrices.values[of] @ whitener
    return matrices.with_values(out)


def tangent(matrices: Windowed, reference: Float64[np.ndarray, "channel channel"]) -> Windowed:
    """The logarithm of each matrix at the reference, as a vector."""
    from pyriemann.utils.tangentspace import tangent_space  # noqa: PLC0415 -- as above

    return matrices.with_values(tangent_space(matrices.values, reference))


def _riemann(work: Work) -> Outcome:
    from pyriemann.utils.mean import mean_logeuclid  # noqa: PLC0415 -- as above

    features = {}
    for access in work.access:
        matrices = work.bench.covariances(access)
        if access is Access.TRANSDUCTIVE:
            vectors = tangent(recentred(matrices, work.trials), np.eye(matrices.values.shape[1]))
        else:
            learnt = matrices.of(work.fold.learnt)
            vectors = tangent(matrices, mean_logeuclid(learnt.values, sample_weight=learnt.trial_weights()))
        features[access] = work.smoothed(by_training(vectors, work.fold.learnt), access)
    return classify(work, features)


RIVALS.add(
    "covariance",
    Rival(
        "covariance, tangent space",
        _riemann,
        BOTH,
        "Covariances of three seconds, in the tangent space, and logistic regression. Causal: at the mean of the "
        "training subjects. Transductive, and by its nature only that: each subject's matrices re-centred at the "
        "identity by their Riemannian mean over the whole stream.",
        {Access.TRANSDUCTIVE: "covariance, re-centred"},
    ),
)
