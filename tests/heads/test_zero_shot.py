import numpy as np
import pytest
import torch

from oodkit.errors import InvalidInput
from oodkit.heads import PROMPT_ENSEMBLE, class_text_embeddings, zero_shot_head
from tests.heads.problems import letters

NAMES = ["bad", "cafe", "head"]


def images(n: int = 40) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, 8)).astype(np.float32)


def test_a_class_is_the_mean_of_its_prompts_brought_to_length_one():
    """Each prompt is brought to length 1 before the mean, and the mean after it, by a loop in float64."""
    found = class_text_embeddings(letters, NAMES)

    for name, row in zip(NAMES, found.numpy(), strict=True):
        prompts = [letters([prompt.replace("{}", name)])[0].double().numpy() for prompt in PROMPT_ENSEMBLE]
        mean = np.mean([prompt / np.linalg.norm(prompt) for prompt in prompts], axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-7)
    assert found.dtype == torch.float32


def test_one_prompt_is_its_text():
    """With one prompt the embedding is that of the text, with length 1; names are cleaned where asked for."""
    found = class_text_embeddings(letters, ["a_b"], ["{}"], clean_names=True)

    np.testing.assert_allclose(found, np.array([[11, 11, 1, 1, 1, 1, 1, 1]]) / np.sqrt(248), atol=1e-7)


def test_all_texts_go_to_the_tower_at_once():
    """So that it can put them in batches and keep them."""
    calls = []

    def tower(texts):
        calls.append(list(texts))
        return letters(texts)

    class_text_embeddings(tower, NAMES, ["a {}", "b {}"])

    assert calls == [["a bad", "b bad", "a cafe", "b cafe", "a head", "b head"]]


def test_logits_are_cosines_times_the_scale():
    """Neither the length of a text nor that of an image matters."""
    text, rows = class_text_embeddings(letters, NAMES), images()
    cosines = (rows / np.linalg.norm(rows, axis=1, keepdims=True)) @ text.numpy().T

    np.testing.assert_allclose(zero_shot_head(text).logits(rows), cosines, atol=1e-6)
    np.testing.assert_allclose(zero_shot_head(7 * text).logits(9 * rows), cosines, atol=1e-6)
    np.testing.assert_allclose(zero_shot_head(text, scale=100).logits(rows), 100 * cosines, atol=1e-4)


def test_scale_and_length_change_no_class():
    """The largest logit is that of the same class with any scale, and whether images are scaled before or after
    the projection to the joint space."""
    text, rows = class_text_embeddings(letters, NAMES), images()
    projection = np.random.default_rng(1).standard_normal((8, 8))
    classes = zero_shot_head(text).logits(rows @ projection).argmax(axis=1)

    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for logits in (
        zero_shot_head(text, scale=100).logits(rows @ projection),
        zero_shot_head(text).logits(unit @ projection),
        rows @ projection @ text.double().numpy().T,
    ):
        np.testing.assert_array_equal(logits.argmax(axis=1), classes)


def test_scale_changes_the_order_of_softmax_scores():
    """The largest probability without a scale lies in [1/C, e^2/(e^2 + C - 1)], and orders images otherwise."""
    text, rows = class_text_embeddings(letters, NAMES), images(200).astype(np.float64)

    plain = torch.from_numpy(zero_shot_head(text).logits(rows)).softmax(dim=1).amax(dim=1).numpy()
    scaled = torch.from_numpy(zero_shot_head(text, scale=100).logits(rows)).softmax(dim=1).amax(dim=1).numpy()

    assert 1 / 3 <= plain.min() <= plain.max() <= np.exp(2) / (np.exp(2) + 2)
    assert (plain.argsort() != scaled.argsort()).any()


def test_it_can_be_given_to_scorers_of_unit_features():
    """The bias is 0, the names stay, and `unit_features` says what it acts on."""
    head = zero_shot_head(np.eye(3), class_names=NAMES)

    assert head.class_names == tuple(NAMES)
    assert head.unit_features
    assert not head.bias.any()
    assert zero_shot_head(np.eye(3)).weight.dtype == torch.float64


def test_what_gives_no_direction_is_refused():
    """A text embedding of zeros, a scale that is not positive, a tower that gives another number of rows."""
    with pytest.raises(InvalidInput, match="text must not be zero, but that of 1 is"):
        zero_shot_head(np.diag([1.0, 0.0]))
    for scale in (0, -1, np.nan, "x"):
        with pytest.raises(InvalidInput, match="scale must be a positive number"):
            zero_shot_head(np.eye(2), scale=scale)
    with pytest.raises(InvalidInput, match="15 texts were given to the text tower, but it gave 14"):
        class_text_embeddings(lambda texts: letters(texts[1:]), NAMES)
    with pytest.raises(InvalidInput, match="but that of 'a bad' is"):
        class_text_embeddings(lambda texts: 0 * letters(texts), NAMES, ["a {}"])
    with pytest.raises(InvalidInput, match="text embeddings must be finite"):
        class_text_embeddings(lambda texts: letters(texts) / 0, NAMES, ["a {}"])
    opposite = lambda texts: torch.tensor([[1.0], [-1.0]])  # noqa: E731
    with pytest.raises(InvalidInput, match="means of text embeddings must not be zero, but that of 'bad' is"):
        class_text_embeddings(opposite, ["bad"], ["a {}", "b {}"])
