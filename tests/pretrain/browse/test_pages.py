"""What a browser gets: lists, filters, pages, errors in their place, and nothing that another site could use."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from starlette.testclient import TestClient

import ontology
from biosig.errors import BiosigError
from biosig.store import Store
from pretrain.browse.catalogue import Catalogue
from pretrain.browse.drawing import GLIMPSE_HEIGHT, glimpse
from pretrain.browse.query import Query, Rank
from pretrain.browse.server import PAGE
from pretrain.browse.vocabulary import Vocabulary
from tests.pretrain.browse.conftest import SCRIPT, client


def listed(page: TestClient, /, **asked: object) -> list[str]:
    """The records of one page of the list."""
    text = page.get(f"/?{urlencode(asked)}").text
    return [unescape(name) for name in re.findall(r'class="open"[^>]*>(.*?)</a>', text)]


def every(page: TestClient, /, **asked: object) -> list[str]:
    """The records of all pages of the list."""
    pages = re.search(r"page 1 of (\d+)<", page.get(f"/?{urlencode(asked)}").text)
    assert pages is not None
    return [name for number in range(1, int(pages[1]) + 1) for name in listed(page, page=number, **asked)]


def test_pages_hold_every_record_once_in_the_order_of_the_stores(page: TestClient, catalogue: Catalogue) -> None:
    names = [store.record(row) for store in catalogue.stores for row in range(len(store))]
    assert every(page) == names
    assert listed(page, page=2) == names[PAGE : 2 * PAGE]
    assert listed(page, page=10**6) == names[-(len(names) % PAGE or PAGE) :]
    assert listed(page, page=-3) == names[:PAGE]
    assert f"page 2 of {-(-len(names) // PAGE)}" in page.get("/?page=2").text


@pytest.mark.parametrize(
    "asked",
    [
        {"sex": "female"},
        {"age_from": "60"},
        {"age_to": "59.5"},
        {"role": "test"},
        {"fold": "3"},
        {"store": "hostile"},
        {"flag": "flat"},
        {"flag": "none"},
        {"words": "sinus RHYTHM"},
        {"concept": "sinus rhythm"},
        {"concept": "biosig:rhythm", "sex": "male", "role": "train", "age_from": "30"},
    ],
    ids=str,
)
def test_filters_are_those_of_a_slow_look_at_each_row(
    page: TestClient, catalogue: Catalogue, asked: dict[str, str]
) -> None:
    graph = ontology.cardiac()

    def passes(key: str, store: Store, facts: dict[str, object]) -> bool:
        text = f"{facts['record']}\n{facts['subject']}\n{facts['report']}".lower()
        meant = {graph.find(asked["concept"]).id} if "concept" in asked else set()
        kinds = meant.union(*(graph.descendants(one) for one in meant))
        quality = list(facts["quality"])  # type: ignore[call-overload]
        return all(
            (
                facts["sex"] == asked.get("sex", facts["sex"]),
                float(facts["age"]) >= float(asked.get("age_from", -1)),  # type: ignore[arg-type]
                float(facts["age"]) <= float(asked.get("age_to", 999)),  # type: ignore[arg-type]
                store.split.role(int(facts["fold"])) == asked.get("role", store.split.role(int(facts["fold"]))),  # type: ignore[call-overload]
                str(facts["fold"]) == asked.get("fold", str(facts["fold"])),
                key == asked.get("store", key),
                "flag" not in asked or (not quality if asked["flag"] == "none" else asked["flag"] in quality),
                all(word in text for word in asked.get("words", "").lower().split()),
                not kinds or bool(kinds & set(facts["concepts"])),  # type: ignore[call-overload]
            )
        )

    wanted = [
        str(facts["record"])
        for key, store in zip(catalogue.keys, catalogue.stores, strict=True)
        for facts in store.records.to_dict("records")
        if passes(key, store, facts)
    ]
    assert every(page, **asked) == wanted
    assert 0 < len(wanted) < len(catalogue)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/?concept=artrial+fibrillation", "did you mean"),
        ("/?age_from=old", "age from: expected a number"),
        ("/?age_to=nan", "age to: expected a number"),
        ("/?fold=1.5", "fold: expected a whole number"),
        ("/?store=nowhere", "store: expected one of store, hostile"),
        ("/?by=taste&to=x", "order: expected sentence, concept, record"),
        ("/?by=concept&to=AF", "start with --model"),
        ("/?page=x", "page: expected a number"),
    ],
)
def test_what_cannot_be_asked_is_said_on_the_page(page: TestClient, address: str, words: str) -> None:
    answer = page.get(address)
    assert answer.status_code == 400
    assert words in unescape(answer.text)
    assert 'role="alert"' in answer.text


def test_markup_in_the_data_is_shown_as_it_stands(page: TestClient, catalogue: Catalogue) -> None:
    name = f'../../"{SCRIPT}'
    for address in ("/?words=script", f"/record?{urlencode({'in': 'hostile', 'id': name})}"):
        text = page.get(address).text
        assert "<script>alert" not in text
        assert unescape(text).count(SCRIPT) >= 3
    assert listed(page, words=SCRIPT.replace(" ", "")) == [name]
    asked = page.get(f"/?{urlencode({'words': SCRIPT, 'concept': SCRIPT, 'to': SCRIPT, 'by': 'record'})}").text
    assert "<script>alert" not in asked
    svg = page.get(f"/picture.svg?{urlencode({'in': 'hostile', 'id': name})}")
    assert svg.status_code == 200, svg.text
    assert "<script" not in svg.text


@pytest.mark.parametrize(
    "address",
    [
        "/record?in=store&id=nobody",
        "/record?in=nowhere&id=sim000001",
        "/record?in=store&id=../store.json",
        "/record?in=store",
        "/picture.svg?in=store&id=nobody",
        "/graph?in=store&id=nobody",
        "/graph?graph=none",
        "/map",
        "/static/query.py",
        "/static/..%2fquery.py",
        "/no/such/page",
    ],
)
def test_what_is_not_there_is_not_found(page: TestClient, address: str) -> None:
    answer = page.get(address)
    assert answer.status_code == 404
    assert 'role="alert"' in answer.text


def test_a_record_shows_its_picture_facts_and_neighbours(page: TestClient, catalogue: Catalogue) -> None:
    rows = catalogue.find(Query(sex="female"))
    before, here, after = (catalogue.entry(int(row)) for row in rows[3:6])
    answer = page.get(f"/record?in={here.store}&id={here.record}&sex=female")
    assert answer.status_code == 200
    for words in (here.report, f"fold {here.fold}", here.subject, "aVR aVL aVF", f"5 of {len(rows)}"):
        assert words in unescape(answer.text)
    assert f"id={before.record}" in answer.text
    assert f"id={after.record}" in answer.text
    source = re.findall(r'<img src="([^"]+)"', answer.text)
    picture = page.get(unescape(source[0]))
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "<svg" in picture.text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("start=99", "expected a start from 0 to 4 s"),
        ("layout=2x2", "4 places"),
        ("layout=topomap", "topomap"),
        ("seconds=x", "seconds: expected"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_said_in_its_place(page: TestClient, more: str, words: str) -> None:
    answer = page.get(f"/record?in=store&id=sim000001&{more}")
    assert answer.status_code == 200
    assert words in unescape(answer.text)
    assert "<img" not in answer.text
    assert "What is known" in answer.text


def test_a_damaged_record_is_said_in_its_place(fewer: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(fewer, tmp_path / "damaged")
    shard = folder / "shard-00000.npy"
    shard.write_bytes(b"x" * shard.stat().st_size)
    with client(Catalogue([Store(folder)], Vocabulary())) as page:
        answer = page.get("/")
        assert answer.status_code == 200
        assert answer.text.count('class="damage"') == PAGE
        answer = page.get("/record?in=damaged&id=sim000001")
        assert answer.status_code == 200
        assert "shard-00000.npy: expected a .npy array" in unescape(answer.text)
        assert "What is known" in answer.text
        assert page.get("/picture.svg?in=damaged&id=sim000001").status_code == 422


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8765", "[::1]:8765", "LOCALHOST:1"])
def test_this_machine_is_answered(page: TestClient, host: str) -> None:
    assert page.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org:8765", "localhost@example.org", "", "0.0.0.0"])
def test_another_name_is_refused_whatever_it_leads_to(page: TestClient, host: str) -> None:
    answer = page.get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "sim000" not in answer.text


def test_other_sites_can_neither_read_nor_embed(page: TestClient) -> None:
    for address in (
        "/",
        "/record?in=store&id=sim000001",
        "/picture.svg?in=store&id=sim000001",
        "/static/browse.js",
        "/x",
    ):
        headers = page.get(address, headers={"origin": "https://example.org"}).headers
        assert "access-control-allow-origin" not in headers
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in headers["content-security-policy"] or "svg" in address
    theirs = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert page.get("/", headers=theirs).status_code == 403
    assert page.get("/", headers={**theirs, "sec-fetch-mode": "navigate"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_changed(page: TestClient, method: str) -> None:
    assert page.request(method, "/").status_code == 405


def test_pages_load_nothing_from_elsewhere(seen: TestClient) -> None:
    for address in ("/", "/record?in=store&id=sim000001", "/graph", "/map", "/?by=concept&to=AF"):
        text = seen.get(address).text
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
        assert not re.findall(r"\son[a-z]+=|\sstyle=", text), "what the policy forbids"


def test_the_graph_counts_records_with_all_kinds(page: TestClient, catalogue: Catalogue) -> None:
    text = page.get("/graph?graph=cardiac").text
    graph = ontology.cardiac()
    af = graph.find("AF")
    above = next(iter(graph.parents(af.id)))
    kinds = {above, *graph.descendants(above)}
    count = sum(bool(kinds & set(concepts)) for store in catalogue.stores for concepts in store.records["concepts"])
    assert f"<title>{graph[above].term}: {count}</title>" in text


def test_an_address_and_its_query_are_the_same() -> None:
    query = Query("a b", "AF", "flat", "test", 3, "male", 20.5, 80.0, "ludb", Rank.SENTENCE, "x & y")
    assert Query.parse({}) == Query()
    assert Query.parse(dict(parse_qsl(query.address(page=3)))) == query
    assert not Query(by=Rank.CONCEPT, to="AF").filters
    assert query.filters


def test_a_store_given_twice_or_not_at_all_is_refused(store: Path) -> None:
    with pytest.raises(BiosigError, match="expected each store once"):
        Catalogue([Store(store), Store(store)], Vocabulary())
    with pytest.raises(BiosigError, match="expected one store or more"):
        Catalogue([], Vocabulary())


def test_folders_of_one_name_are_numbered(store: Path, tmp_path: Path) -> None:
    other = shutil.copytree(store, tmp_path / "store")
    both = Catalogue([Store(store), Store(other)], Vocabulary())
    assert both.keys == ("store-1", "store-2")
    row = both.row("store-2", "sim000003")
    assert row is not None
    assert both.place(row)[0].path == other
    assert row == len(Store(store)) + both.place(row)[1]


def test_a_glimpse_loses_no_beat(catalogue: Catalogue) -> None:
    channel, points = glimpse(catalogue.stores[0], 0)
    y = np.array([float(point.split(",")[1]) for point in points.split()])
    assert channel == "II"
    assert y.min() >= 0
    assert y.max() <= GLIMPSE_HEIGHT
    assert min(y.min(), GLIMPSE_HEIGHT - y.max()) < 3, "it fills the line"
