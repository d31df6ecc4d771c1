"""What judges saw is kept: no picture is looked at twice, and processes share the looking."""

import torch

from drc.bench.judges.cache import CHUNK, FeatureCache, chunks_of

from ..conftest import Eye


def test_a_damaged_file_of_the_cache_is_made_anew(domain, tmp_path):
    eye, rows = Eye(), [0, 1]
    found = FeatureCache(eye, tmp_path).features(chunks_of(domain, rows))
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(b"nothing")
    assert torch.equal(FeatureCache(eye, tmp_path).features(chunks_of(domain, rows)).meaning, found.meaning)
    assert eye.looks == 4


def test_pictures_are_judged_once(domain, tmp_path):
    eye, rows = Eye(), list(range(CHUNK + 4))
    found = FeatureCache(eye, tmp_path).features(chunks_of(domain, rows))
    again = FeatureCache(eye, tmp_path).features(chunks_of(domain, rows))
    assert eye.looks == len(rows)
    assert torch.equal(found.style, again.style) and torch.equal(found.meaning, again.meaning)
    torch.testing.assert_close(found.meaning, Eye()(domain.images(rows)).meaning)
    eye.version = "2"
    FeatureCache(eye, tmp_path).features(chunks_of(domain, rows))
    assert eye.looks == 2 * len(rows)


def test_distances_are_kept_in_their_order(domain, tmp_path):
    eye = Eye()
    first, second = (next(chunks_of(domain, rows)) for rows in ([0, 1], [2, 3]))
    cache = FeatureCache(eye, tmp_path)
    distance = cache.distances([(first, second)])
    torch.testing.assert_close(distance, eye.distance(domain.images([0, 1]), domain.images([2, 3])))
    eye.distance = None
    cache.compare(first, second)
    assert torch.equal(cache.distances([(first, second)]), distance)


def test_processes_share_the_looking(domain, tmp_path):
    chunks = list(chunks_of(domain, range(10 * CHUNK)))
    eyes = [Eye(), Eye()]
    for rank, eye in enumerate(eyes):
        for chunk in chunks:
            FeatureCache(eye, tmp_path, rank, 2).look(chunk)
    assert sum(eye.looks for eye in eyes) == 10 * CHUNK and all(eye.looks for eye in eyes)
    FeatureCache(eyes[0], tmp_path).features(chunks)
    assert sum(eye.looks for eye in eyes) == 10 * CHUNK
