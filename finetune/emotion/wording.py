"""How it was measured and what it does not say, in sentences."""

from __future__ import annotations

from finetune.diagnosis.result import Estimate
from finetune.emotion.protocols import Protocol
from finetune.emotion.result import Line, Result

_PROTOCOLS = {
    Protocol.LOSO: "One subject at a time is left out altogether, and tested.",
    Protocol.KFOLD: "The subjects are in {k} groups; one group at a time is left out altogether, and tested.",
    Protocol.FEW_SHOT: (
        "One subject at a time is tested; its first {shots} trials, with their labels, are learnt from as well, each "
        "weighing as much as ten others. They are not scored."
    ),
    Protocol.UNSEEN_STIMULUS: (
        "Subjects are in {k} groups and stimuli in {stimulus_groups}; a trial is tested by a model that has met "
        "neither its subject nor its stimulus."
    ),
    Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT: (
        "Stimuli are in {stimulus_groups} groups; a trial is tested by a model that has not met its stimulus, but may "
        "have met its subject with other stimuli."
    ),
}


def _estimates(line: Line) -> list[Estimate]:
    return [metric.subjects for metric in line.metrics.values()]


def protocol(result: Result) -> list[str]:
    """How it was done."""
    settings = result.settings
    counts = ", ".join(f"{count} {name}" for name, count in result.classes.items())
    return [
        _PROTOCOLS[result.protocol].format(**settings),
        (
            "Of the other subjects some validate, drawn by the seed: they choose strengths of regularisation and when "
            "to stop. Nothing of the test side chooses anything; it is scored once."
        ),
        (
            f"Classes: {counts}. A trial's score is the mean probability of its windows (a second each; three for "
            f"covariances). Smoothing of features within a trial: {settings['smoothing']}."
        ),
        (
            "Causal rows know nothing that was recorded after the end of the trial they judge. Transductive rows know "
            "the whole unlabelled stream of the subject under test."
        ),
        "Classes are balanced by weights, and every trial weighs the same.",
        (
            f"{len(result.seeds)} seeds, each with other validation subjects, groups and weights. Intervals: bootstrap "
            f"over subjects, {settings['draws']} draws, 95 %; the same draws for every row, so differences are paired."
        ),
        (
            "Accuracy is the mean over subjects. Balanced accuracy, macro F1, kappa and AUROC are of the pooled trials "
            "with every subject weighing 1, because a subject with trials of one class has no kappa of its own "
            f"({result.one_class_subjects} of {result.subjects} here). AUROC within subjects is the mean over those "
            "who have both classes."
        ),
    ]


def limits(result: Result) -> list[str]:
    """What it does not say."""
    asked = result.settings["pretrain_steps"]
    steps = "as many steps as the recipe says" if asked is None else f"{asked} steps"
    sentences = [
        (
            "Intervals tell how sure the mean over such subjects is; they do not tell how another device, language or "
            "set of stimuli would fare."
        ),
        "Rows were compared on the same test subjects. The best of many rows is partly luck.",
        (
            "Whoever is left out with many trials of a class leaves fewer of it behind. So a model that has learnt "
            "nothing may score below chance in pooled metrics, as the majority class does; AUROC within subjects is "
            "free of this."
        ),
        (
            f"The trainings of the encoders are short ({steps} of pretraining a fold), so that the whole table can be "
            "made on two cores: longer ones may do better."
        ),
        (
            "Pretraining pairs subjects by the moment of a stimulus. Where a stimulus has no course of its own (rest, "
            "a task at one's own pace), equal moments have nothing in common but the state."
        ),
    ]
    if any(one.low == one.high == 1 for line in result.lines for one in _estimates(line)):
        many = 100 * (1 - 0.05 ** (1 / result.subjects))
        sentences.append(
            f"[1.000, 1.000] says that all {result.subjects} subjects did alike, not that the next one will: a "
            f"bootstrap cannot draw what it never saw. Of people like them up to {many:.0f} % may do otherwise (exact "
            "binomial bound, 95 %)."
        )
    if result.stimuli:
        sentences.append(
            f"Everybody met the same {result.stimuli} stimuli: intervals over subjects do not count the luck of the "
            "choice of stimuli, which is large where there are few."
        )
    if result.protocol not in (Protocol.UNSEEN_STIMULUS, Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT):
        sentences.append("Stimuli are the same in training and test; what is learnt may be the stimulus.")
    return sentences
