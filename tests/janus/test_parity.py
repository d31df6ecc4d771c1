"""Janus-Pro against the class of transformers, with the same small random weights, in float32.

Encoding is held against the original in test_encoding.py: transformers compares vectors that are not of length 1.
"""

import pytest
import torch
import transformers

from drc.instruction import InContext
from drc.lmm.generate import Sampling
from drc.lmm.janus.model import JanusConfig
from scripts.lib.tiny_janus import SIZES, published_names, settings, weights

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
BEGIN, PAD, IMAGE = 100, 101, 102
GREEDY = Sampling(temperature=0.0)


@pytest.fixture(scope="module", autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def ours():
    lmm = JanusConfig(SIZES, (BEGIN,), (IMAGE,), pad=PAD).build().eval()
    lmm.load_state_dict({name: tensor.float() for name, tensor in weights(seed=3).items()}, assign=True)
    return lmm


@pytest.fixture(scope="module")
def theirs():
    config = settings(SIZES)
    parts = {name: config[name] for name in ("text_config", "vision_config", "vq_config")}
    parts["text_config"] |= {"bos_token_id": BEGIN, "eos_token_id": 1, "pad_token_id": PAD}
    model = transformers.JanusForConditionalGeneration(transformers.JanusConfig(**parts)).eval()
    given = {name: tensor.float() for name, tensor in published_names(weights(seed=3)).items()}
    missing, unexpected = model.load_state_dict(given, strict=False)
    assert not missing and not unexpected
    model.generation_config.bos_token_id, model.generation_config.pad_token_id = BEGIN, PAD
    model.generation_config.generation_kwargs = {"boi_token_id": IMAGE}
    return model


@pytest.fixture(scope="module")
def images():
    return torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def codes():
    return torch.randint(24, (3, 16), generator=torch.Generator().manual_seed(2))


def test_language(ours, theirs):
    ids = torch.randint(400, (2, 20), generator=torch.Generator().manual_seed(0))
    expected = theirs.model.language_model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(ours.language.hidden(ours.words(ids)), expected, **TOLERANCE)


def test_codes_are_read_through_their_own_table(ours, theirs, codes):
    expected = theirs.prepare_embeddings_for_image_generation(codes)
    torch.testing.assert_close(ours.embed(codes), expected, **TOLERANCE)
    torch.testing.assert_close(ours.code_table()[codes], expected, **TOLERANCE)
    blanks = ours.embed(torch.where(codes < 12, ours.blank_code, codes))
    assert torch.equal(blanks[codes < 12], ours.words(torch.full_like(codes[codes < 12], PAD)))
    torch.testing.assert_close(blanks[codes >= 12], expected[codes >= 12], **TOLERANCE)


def test_head(ours, theirs):
    hidden = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours.language.lm_head(hidden), theirs.model.generation_head(hidden), **TOLERANCE)


def test_the_understanding_encoder(ours, theirs, images):
    seen = theirs.model.vision_model(images * 2 - 1).last_hidden_state
    torch.testing.assert_close(ours.understanding.transformer(images), seen, **TOLERANCE)
    torch.testing.assert_close(ours.understanding(images), theirs.model.aligner(seen), **TOLERANCE)


def test_meaning_is_what_the_understanding_encoder_sees_of_the_picture_of_the_codes(ours, theirs, codes):
    pictures = theirs.model.vqmodel.decode(codes).clamp(-1, 1)
    expected = theirs.model.aligner(theirs.model.vision_model(pictures).last_hidden_state)
    torch.testing.assert_close(ours.meaning(codes), expected, **TOLERANCE)
    torch.testing.assert_close(ours.meaning(codes[None, :2]), expected[None, :2], **TOLERANCE)
    torch.testing.assert_close(ours.meaning(codes[0]), expected[0], **TOLERANCE)
    ours_without = JanusConfig(SIZES).build()
    ours_without.load_state_dict(ours.state_dict(), assign=True)
    ours_without.drop_vision()
    assert ours_without.vision is None and torch.equal(ours_without.meaning(codes), ours.meaning(codes))


def test_pictures_of_codes(ours, theirs, codes):
    expected = theirs.decode_image_tokens(codes).permute(0, 3, 1, 2)
    torch.testing.assert_close(ours.detokenize(codes), ((expected + 1) / 2).clamp(0, 1), **TOLERANCE)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_both_ways_of_the_tokeniser(ours, theirs, part):
    inputs = torch.randn(
        2, *((3, 8, 8) if part == "encoder" else (6, 4, 4)), generator=torch.Generator().manual_seed(0)
    )
    expected = getattr(theirs.model.vqmodel, part)(inputs.clone())
    torch.testing.assert_close(getattr(ours.vision, part)(inputs), expected, **TOLERANCE)


PROMPT = torch.tensor([BEGIN, 5, 17, 300, 9, IMAGE])


def test_guided_logits_of_two_streams_whose_pads_are_attended_to(ours, theirs, codes):
    """As the original loop has it, with the whole sequence at every step."""
    ids, coefficients = ours.streams(InContext(PROMPT, 5.0, ""))
    nothing = torch.tensor([BEGIN, PAD, PAD, PAD, PAD, IMAGE])
    assert torch.equal(ids, torch.stack((PROMPT, nothing))) and coefficients.tolist() == [5.0, -4.0]
    drawn = theirs.prepare_embeddings_for_image_generation(codes[:1, :7]).expand(2, -1, -1)
    embeddings = torch.cat((theirs.get_input_embeddings()(ids), drawn), dim=1)
    expected = theirs.model.generation_head(
        theirs.model.language_model(inputs_embeds=embeddings).last_hidden_state[:, -1]
    )
    found = ours.logits(torch.cat((ours.words(ids), ours.follow(codes[:1, :7].expand(2, -1), 0, None)), dim=1))
    torch.testing.assert_close(found, expected, **TOLERANCE)
    conditional, unconditional = expected
    guided = unconditional + 5 * (conditional - unconditional)
    torch.testing.assert_close((found * coefficients[:, None]).sum(dim=0), guided, **TOLERANCE)
    assert guided.std() > 2  # they are large enough for that to mean something


@pytest.mark.parametrize("guidance", [5.0, 2.0])
def test_the_likeliest_sixteen_codes(ours, theirs, guidance):
    expected = theirs.generate(
        PROMPT[None], attention_mask=torch.ones(1, 6), generation_mode="image", do_sample=False, guidance_scale=guidance
    )
    assert ours.draw(InContext(PROMPT, guidance, ""), [0], GREEDY).tolist() == expected.tolist()
    assert len(set(expected[0].tolist())) > 2


def test_the_drawing_of_a_seed(ours, theirs):
    """Sixteen codes, each drawn by hand from what the class of transformers makes of all before it."""
    random, drawn = torch.Generator().manual_seed(7), torch.zeros(1, 0, dtype=torch.long)
    ids, _ = ours.streams(InContext(PROMPT, 5.0, ""))
    for _ in range(16):
        embeddings = theirs.prepare_embeddings_for_image_generation(drawn).expand(2, -1, -1)
        embeddings = torch.cat((theirs.get_input_embeddings()(ids), embeddings), dim=1)
        hidden = theirs.model.language_model(inputs_embeds=embeddings).last_hidden_state[:, -1]
        conditional, unconditional = theirs.model.generation_head(hidden)
        chances = (unconditional + 5 * (conditional - unconditional)).softmax(dim=-1)
        drawn = torch.cat((drawn, torch.multinomial(chances, 1, generator=random)[None]), dim=1)
    assert ours.draw(InContext(PROMPT, 5.0, ""), [7], Sampling()).tolist() == drawn.tolist()
    together = ours.draw(InContext(PROMPT, 5.0, ""), [3, 7], Sampling())
    assert together[1:].tolist() == drawn.tolist() != together[:1].tolist()


@pytest.mark.parametrize("seeds", [[7], [3, 7, 8]], ids=len)
def test_a_recorded_step_draws_the_same(ours, recordings, seeds):
    """Whatever the words, the guidance and the seeds are: one recording serves them all."""
    given = [
        (InContext(prompt, guidance, ""), [first + seed for seed in seeds], Sampling())
        for prompt, guidance, first in ((PROMPT, 5.0, 0), (PROMPT[1:], 2.0, 0), (PROMPT, 5.0, 9))
    ]
    expected = [ours.draw(*one).tolist() for one in given]
    assert [ours.draw(*one, graph=True).tolist() for one in given] == expected
    assert len(recordings) == 1


def test_plain_drawing_has_one_stream(ours):
    ids, coefficients = ours.streams(InContext(PROMPT, 1.0, ""))
    assert torch.equal(ids, PROMPT[None]) and coefficients.tolist() == [1.0]
    assert ours.draw(InContext(PROMPT, 1.0, ""), [0], GREEDY).shape == (1, 16)


def test_losses_are_those_of_the_codes_that_follow(ours, theirs, codes):
    text = torch.randint(1, 400, (3, 4), generator=torch.Generator().manual_seed(0))
    text[0, 2:] = 0
    vectors = torch.randn(3, 2, 32, generator=torch.Generator().manual_seed(1))
    words = theirs.get_input_embeddings()(torch.where(text > 0, text - 1, PAD))
    ends = (theirs.get_input_embeddings()(torch.full((3, 1), end)) for end in (BEGIN, IMAGE))
    begin, image = ends
    read = theirs.prepare_embeddings_for_image_generation(codes[:, :-1])
    hidden = theirs.model.language_model(inputs_embeds=torch.cat((begin, words, vectors, image, read), dim=1))
    logits = theirs.model.generation_head(hidden.last_hidden_state[:, -16:])
    expected = torch.nn.functional.cross_entropy(logits.transpose(1, 2), codes, reduction="none")
    torch.testing.assert_close(ours.token_losses(text, vectors, codes, codes), expected.mean(dim=1), **TOLERANCE)
    torch.testing.assert_close(ours.log_likelihoods(text, vectors, codes), -expected, **TOLERANCE)
