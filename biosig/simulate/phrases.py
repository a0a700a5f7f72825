"""The words of reports: several for every concept, as clinicians and as machines put it."""

from __future__ import annotations

from biosig.simulate import diagnoses as dx

# For every concept: phrases for a sentence (they may name the rate), and the terse words of a machine.
PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    dx.SINUS_RHYTHM: (
        ("sinus rhythm", "regular sinus rhythm", "normal sinus rhythm", "sinus rhythm at {rate} bpm"),
        ("SINUS RHYTHM", "NORMAL SINUS RHYTHM", "SR"),
    ),
    dx.SINUS_BRADYCARDIA: (
        (
            "sinus bradycardia",
            "bradycardic sinus rhythm",
            "slow sinus rhythm at {rate} bpm",
            "sinus bradycardia, rate {rate}",
        ),
        ("SINUS BRADYCARDIA", "SINUS BRADY"),
    ),
    dx.SINUS_TACHYCARDIA: (
        (
            "sinus tachycardia",
            "rapid sinus rhythm at {rate} bpm",
            "sinus tachycardia, rate {rate}",
            "tachycardic sinus rhythm",
        ),
        ("SINUS TACHYCARDIA", "SINUS TACH"),
    ),
    dx.SINUS_ARRHYTHMIA: (
        ("sinus arrhythmia", "respiratory sinus arrhythmia", "sinus rhythm that varies with the breath"),
        ("SINUS ARRHYTHMIA", "SINUS RHYTHM WITH SINUS ARRHYTHMIA"),
    ),
    dx.ATRIAL_FIBRILLATION: (
        (
            "atrial fibrillation",
            "atrial fibrillation with a ventricular rate of {rate}",
            "absolute arrhythmia in atrial fibrillation",
            "irregularly irregular rhythm without P waves, consistent with atrial fibrillation",
        ),
        ("ATRIAL FIBRILLATION", "AFIB", "A-FIB, IRREGULAR"),
    ),
    dx.ATRIAL_FLUTTER: (
        (
            "atrial flutter",
            "atrial flutter with a ventricular rate of {rate}",
            "typical sawtooth flutter waves, atrial flutter",
            "atrial flutter with {conduction} conduction",
        ),
        ("ATRIAL FLUTTER", "AFLUT"),
    ),
    dx.PACING: (
        (
            "ventricular paced rhythm",
            "pacemaker rhythm",
            "pacing rhythm with ventricular capture",
            "electronic ventricular pacemaker",
        ),
        ("PACED RHYTHM", "VENTRICULAR PACED RHYTHM", "PACEMAKER"),
    ),
    dx.SECOND_DEGREE_BLOCK: (
        (
            "second degree AV block{mobitz}",
            "second-degree atrioventricular block{mobitz}",
            "intermittent AV conduction, second degree block",
        ),
        ("2ND DEGREE AV BLOCK", "AV BLOCK II"),
    ),
    dx.COMPLETE_BLOCK: (
        (
            "complete AV block with escape rhythm at {rate} bpm",
            "third degree AV block",
            "complete heart block with AV dissociation",
        ),
        ("3RD DEGREE AV BLOCK", "COMPLETE HEART BLOCK"),
    ),
    dx.PREMATURE_ATRIAL: (
        (
            "premature atrial contractions",
            "supraventricular premature beats",
            "atrial extrasystoles",
            "occasional PACs",
        ),
        ("PAC", "PREMATURE ATRIAL COMPLEXES", "SVES"),
    ),
    dx.PREMATURE_VENTRICULAR: (
        (
            "premature ventricular contractions",
            "ventricular extrasystoles",
            "ventricular premature beats",
            "occasional PVCs",
        ),
        ("PVC", "PREMATURE VENTRICULAR COMPLEXES", "VES"),
    ),
    dx.FIRST_DEGREE_BLOCK: (
        (
            "first degree AV block",
            "prolonged PR interval, first-degree atrioventricular block",
            "AV block I",
            "delayed AV conduction with PR {pr} ms",
        ),
        ("1ST DEGREE AV BLOCK", "AV BLOCK I"),
    ),
    dx.PREEXCITATION: (
        (
            "ventricular preexcitation, WPW pattern",
            "Wolff-Parkinson-White pattern",
            "short PR with delta wave, WPW pattern",
        ),
        ("WPW", "VENTRICULAR PREEXCITATION"),
    ),
    dx.LEFT_BUNDLE_BLOCK: (
        (
            "left bundle branch block",
            "complete left bundle branch block",
            "LBBB",
            "wide QRS with left bundle branch block pattern",
        ),
        ("LBBB", "LEFT BUNDLE BRANCH BLOCK"),
    ),
    dx.RIGHT_BUNDLE_BLOCK: (
        (
            "right bundle branch block",
            "complete right bundle branch block",
            "RBBB",
            "rSR' in V1, right bundle branch block",
        ),
        ("RBBB", "RIGHT BUNDLE BRANCH BLOCK"),
    ),
    dx.INCOMPLETE_RIGHT_BUNDLE_BLOCK: (
        (
            "incomplete right bundle branch block",
            "incomplete RBBB",
            "minor right intraventricular conduction delay, incomplete right bundle branch block",
        ),
        ("IRBBB", "INCOMPLETE RBBB"),
    ),
    dx.LEFT_AXIS: (
        ("left axis deviation", "leftward axis", "abnormal left axis deviation", "axis deviated to the left"),
        ("LEFT AXIS DEVIATION", "LAD"),
    ),
    dx.RIGHT_AXIS: (
        ("right axis deviation", "rightward axis", "axis deviated to the right"),
        ("RIGHT AXIS DEVIATION", "RAD"),
    ),
    dx.LEFT_ANTERIOR_FASCICULAR_BLOCK: (
        ("left anterior fascicular block", "left anterior hemiblock", "LAFB"),
        ("LEFT ANTERIOR FASCICULAR BLOCK", "LAFB"),
    ),
    dx.LEFT_HYPERTROPHY: (
        (
            "left ventricular hypertrophy",
            "voltage criteria for left ventricular hypertrophy",
            "positive Sokolow-Lyon index, LVH",
        ),
        ("LVH", "LEFT VENTRICULAR HYPERTROPHY"),
    ),
    dx.RIGHT_HYPERTROPHY: (
        (
            "right ventricular hypertrophy",
            "signs of right ventricular hypertrophy",
            "tall R in V1, right ventricular hypertrophy",
        ),
        ("RVH", "RIGHT VENTRICULAR HYPERTROPHY"),
    ),
    dx.LEFT_ATRIAL_ENLARGEMENT: (
        ("left atrial enlargement", "left atrial abnormality", "broad notched P waves, left atrial enlargement"),
        ("LAE", "LEFT ATRIAL ENLARGEMENT"),
    ),
    dx.LOW_VOLTAGE: (
        ("low QRS voltages", "low voltage in the limb leads", "low voltage QRS"),
        ("LOW QRS VOLTAGE", "LOW VOLTAGE"),
    ),
    dx.Q_WAVE: (
        ("abnormal Q waves {q_wall}", "pathological Q waves {q_wall}", "Q waves {q_wall}, consider old infarction"),
        ("ABNORMAL Q WAVES", "PATHOLOGIC Q"),
    ),
    dx.ST_DEPRESSION: (
        (
            "ST depression",
            "ST segment depression in the lateral leads",
            "lateral ST depression",
            "ST depression of {st} mV",
        ),
        ("ST DEPRESSION", "ST DEP, LATERAL"),
    ),
    dx.ST_ELEVATION: (
        ("ST elevation", "{st_wall} ST elevation", "ST segment elevation in the {st_wall} leads"),
        ("ST ELEVATION", "ST ELEV"),
    ),
    dx.T_INVERSION: (
        ("T wave inversion", "inverted T waves in the {t_wall} leads", "{t_wall} T wave inversion", "negative T waves"),
        ("T WAVE INVERSION", "T INVERSION"),
    ),
    dx.LONG_QT: (
        ("prolonged QT interval", "QT prolongation", "long QT with QTc {qtc} ms", "QTc prolonged"),
        ("PROLONGED QT", "LONG QTC"),
    ),
}

# What may be said to be absent, where it is.
ABSENT = {
    dx.ST_ELEVATION: "No ST elevation",
    dx.ST_DEPRESSION: "No significant ST changes",
    dx.PREMATURE_VENTRICULAR: "No ventricular ectopy",
    dx.FIRST_DEGREE_BLOCK: "No AV conduction delay",
}
# With these a reader would not say that ST, conduction or ectopy is unremarkable.
MAKES_DOUBTFUL = frozenset(
    {
        dx.ST_DEPRESSION, dx.ST_ELEVATION, dx.T_INVERSION, dx.PACING, dx.LEFT_BUNDLE_BLOCK, dx.PREEXCITATION,
        dx.SECOND_DEGREE_BLOCK, dx.COMPLETE_BLOCK, dx.FIRST_DEGREE_BLOCK, dx.ATRIAL_FIBRILLATION, dx.ATRIAL_FLUTTER,
        dx.PREMATURE_VENTRICULAR,
    }
)  # fmt: skip
