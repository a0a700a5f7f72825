"""The pages of real recordings: ECG with delineations, EEG with one ECG lead, two leads of half an hour."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

from biosig.store import Store, prepare
from pretrain.browse.catalogue import Catalogue
from pretrain.browse.vocabulary import Vocabulary
from tests.pretrain.browse.conftest import client


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "words", "layouts"),
    [
        ("ecg/ludb", ["aVR aVL aVF", "years", "Rhythm:"], ["auto", "6x2", "12x1"]),
        ("ecg/mitdb", ["MLII", "premature ventricular"], ["auto", "traces"]),
        ("eeg/eegmat", ["Fp1 Fp2", "arithmetic"], ["auto", "longitudinal", "average", "topomap"]),
    ],
)
def test_every_view_of_real_recordings(
    biosig_data: Path, tmp_path: Path, path: str, words: list[str], layouts: list[str]
) -> None:
    corpus = Path(path).name
    folder = tmp_path / corpus
    prepare(corpus, biosig_data / path, folder, limit=2, statistics=False, workers=0, progress=False)
    store = Store(folder)
    with client(Catalogue([store], Vocabulary())) as page:
        assert 'class="damage"' not in page.get("/").text
        seen = ""
        for row in range(len(store)):
            for layout in layouts:
                answer = page.get(f"/record?in={corpus}&id={store.record(row)}&start=1&seconds=5&layout={layout}")
                assert 'role="alert"' not in answer.text
                assert "<img" in answer.text
                seen += unescape(answer.text)
        for word in words:
            assert word in seen
        assert page.get("/graph").status_code == 200
