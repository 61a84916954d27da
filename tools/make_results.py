"""Measure every scorer on real images and write docs/results.md and docs/results.json.

Run: python tools/make_results.py --data-root DIR --weights DIR [--cache DIR] [--only WORDS]

DIR of the data holds cifar100, cifar10, gtsrb, dtd, scenes6, tiny_imagenet and flickr8k as NAME/SPLIT/CLASS/FILE, with
flickr8k/captions.json; DIR of the weights the files that the examples name. Takes some minutes once the images are
embedded. With --only, tables whose titles have these words in them are made again, and the others stay as they are.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oodkit import evaluate
from oodkit.data.captions import read_captions
from oodkit.evaluation import Evaluation

DOCS = Path(__file__).parents[1] / "docs"
NEAR_AND_FAR = ("gtsrb", "dtd", "scenes6", "tiny_imagenet")
# As the captions call them that the tiny CLIP was trained on.
CIFAR10_NAMES = "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
HEAD = """# Results

AUROC in per cent of every scorer that runs, with default parameters, on samples of public data sets: 15,000 train and
5,000 test images of CIFAR-100, 5,000 of CIFAR-10, 1,032 of GTSRB, 800 of DTD, 576 of scenes6, 2,000 of Tiny ImageNet.
They are samples: not comparable with published tables. Bold: the best of a column, without a test of significance.
No parameter was chosen on any out-set. Below 50, out-images score higher than in-images.

What may mislead:

- Sets differ in resolution and compression. To a network at 128 px a CIFAR image is blurred and a photograph is not,
  and scorers on features see that first: compare the table in which all images are brought to 32 px before.
- The DenseNet and the probe classify nearly all images that they were trained on correctly (99.6 % and 99.9 %), and
  these images are the fit set. `temp_scaling` and `kl_matching` should be fitted on others, and the distances that
  `openmax` knows are too short for any new image.
- Energies of raw cosines between -1 and 1 say little: `energy`, `react`, `ash`, `scale` and `nnguide` on the zero-
  shot head need the logit scale.
- The tiny CLIP has seen ten words. Its captions here are the ten sentences that it was trained on, so `caption`
  equals `max_logit`; words from WordNet mean nothing to it, so `neglabel` and `in_out_names` cannot show what they
  are made for.
- The caption space of the tables on Flickr8k knows any text, but was never trained on images and texts together: an
  image is where its likeliest ImageNet classes are, and what these do not tell apart, captions cannot either. The
  captions are those of the 250 images that are fitted. `caption` sees these texts, all others see images; 250 and 576
  images a side give standard errors of two to three points.

Measured with version 0.1.0, torch 2.15.0, on a CPU in float32, by `python tools/make_results.py --data-root DIR
--weights DIR`; the intervals stand in `docs/results.json`.
"""


@dataclass(frozen=True)
class Study:
    """One in-set and backbone.

    Attributes:
        title: of its table.
        words: the command that makes one of its rows, without --scorer and --out.
        in_, outs, backbone: as `evaluate` takes them.
        options: further arguments of `evaluate`.
        oracle: whether scorers that use the names of OOD classes are run as well.
        scorers: that are run.
        captions: file of captions below the data root; None for those of `options`, if any.
    """

    title: str
    words: str
    in_: str
    outs: tuple[str, ...]
    backbone: str
    options: dict[str, Any] = field(default_factory=dict)
    oracle: bool = False
    scorers: str | tuple[str, ...] = "all"
    captions: str | None = None


CLIP = "--in cifar10 --backbone module:examples/cifar_clip.py:clip --prompt 'An image of {}' --captions FILE"
CONSE = "--image-size 128 --backbone module:examples/caption_space.py:conse"
CLIP_TEXTS = {"prompts": ["An image of {}"], "captions": [f"An image of {name}" for name in CIFAR10_NAMES]}
STUDIES = (
    Study(
        "CIFAR-100 DenseNet, its own classifier",
        "--in cifar100 --backbone module:examples/cifar_densenet.py:cifar100",
        "cifar100",
        ("cifar10", *NEAR_AND_FAR),
        "module:examples/cifar_densenet.py:cifar100",
    ),
    Study(
        "Bundled EfficientNet-Lite0 at 128 px, a linear probe as the head",
        "--in cifar100 --image-size 128",
        "cifar100",
        ("cifar10", *NEAR_AND_FAR),
        "efficientnet_lite0",
        {"image_size": 128},
    ),
    Study(
        "Bundled EfficientNet-Lite0 at 128 px, all images brought to 32 px first",
        "--in cifar100 --image-size 128 --source-resolution 32",
        "cifar100",
        ("cifar10", *NEAR_AND_FAR),
        "efficientnet_lite0",
        {"image_size": 128, "source_resolution": 32},
    ),
    Study(
        "Tiny CLIP trained on CIFAR-10, zero-shot head without logit scale",
        f"{CLIP} --head zero_shot",
        "cifar10",
        ("cifar100", *NEAR_AND_FAR),
        "module:examples/cifar_clip.py:clip",
        {"head": "zero_shot", **CLIP_TEXTS},
        oracle=True,
    ),
    Study(
        "Tiny CLIP trained on CIFAR-10, zero-shot head with logit scale",
        f"{CLIP} --head zero_shot --logit-scale",
        "cifar10",
        ("cifar100", *NEAR_AND_FAR),
        "module:examples/cifar_clip.py:clip",
        {"head": "zero_shot", "logit_scale": True, **CLIP_TEXTS},
    ),
    Study(
        "Tiny CLIP trained on CIFAR-10, pseudo-label probe",
        f"{CLIP} --head pseudo_label_probe",
        "cifar10",
        ("cifar100", *NEAR_AND_FAR),
        "module:examples/cifar_clip.py:clip",
        {"head": "pseudo_label_probe", **CLIP_TEXTS},
    ),
    Study(
        "Caption space (ConSE) at 128 px, free captions of Flickr8k",
        f"--in flickr8k {CONSE} --captions DIR/flickr8k/captions.json",
        "flickr8k",
        ("cifar10", *NEAR_AND_FAR),
        "module:examples/caption_space.py:conse",
        {"image_size": 128},
        scorers=("caption", "kernel", "knn", "knn_kth", "mahalanobis", "pca", "ssd"),
        captions="flickr8k/captions.json",
    ),
    Study(
        "Caption space (ConSE) at 128 px, all images brought to 32 px first, free captions of Flickr8k",
        f"--in flickr8k {CONSE} --source-resolution 32 --captions DIR/flickr8k/captions.json",
        "flickr8k",
        ("cifar10", *NEAR_AND_FAR),
        "module:examples/caption_space.py:conse",
        {"image_size": 128, "source_resolution": 32},
        scorers=("caption", "kernel", "knn", "knn_kth", "mahalanobis", "pca", "ssd"),
        captions="flickr8k/captions.json",
    ),
    Study(
        "Caption space (ConSE) at 128 px, class names of CIFAR-100",
        f"--in cifar100 {CONSE} --clean-names --head zero_shot",
        "cifar100",
        ("cifar10", *NEAR_AND_FAR),
        "module:examples/caption_space.py:conse",
        {"image_size": 128, "clean_names": True, "head": "zero_shot"},
        oracle=True,
        scorers=("gen", "knn", "max_logit", "mcm"),
    ),
)


def main(data_root: Path, weights: Path, cache: Path | None, only: str) -> None:
    """Run the studies that are meant, and write both files after each."""
    os.environ["OODKIT_WEIGHTS"] = str(weights)
    rows, sections = written()
    for study in STUDIES:
        if only.lower() in study.title.lower():
            found = run(study, data_root, cache)
            rows[study.title] = [row for evaluation in found for row in rows_of(study, evaluation)]
            sections[study.title] = "\n".join(section(study, found)).rstrip()
            write(rows, sections)


def write(rows: dict[str, list[dict[str, Any]]], sections: dict[str, str]) -> None:
    """Write both files, with what is there of each study: a run that is stopped leaves whole tables."""
    titles = [study.title for study in STUDIES if study.title in sections]
    all_rows = [row for title in titles for row in rows[title]]
    (DOCS / "results.json").write_text(json.dumps(all_rows, indent=0) + "\n", encoding="utf-8")
    text = "\n\n".join([HEAD.rstrip(), *(sections[title] for title in titles)])
    (DOCS / "results.md").write_text(text + "\n", encoding="utf-8")


def written() -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Rows and section of each study that both files hold, by its title."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in json.loads((DOCS / "results.json").read_text(encoding="utf-8")):
        rows.setdefault(row["backbone"], []).append(row)
    sections = (DOCS / "results.md").read_text(encoding="utf-8").split("\n## ")[1:]
    return rows, {section.partition("\n")[0]: f"## {section}".rstrip() for section in sections}


def run(study: Study, data_root: Path, cache: Path | None) -> list[Evaluation]:
    """All scorers at once; those that use names of OOD classes one out-set at a time."""
    captions = {"captions": read_captions(data_root / study.captions)} if study.captions else {}

    def scored(outs: Sequence[str], scorers: str | Sequence[str]) -> Evaluation:
        return evaluate(
            study.in_,
            outs,
            backbone=study.backbone,
            scorers=scorers,
            data_root=data_root,
            cache=cache,
            **study.options,
            **captions,
        )

    oracle = [scored([out], "in_out_names") for out in study.outs] if study.oracle else []
    return [scored(study.outs, study.scorers), *oracle]


def rows_of(study: Study, evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """One row per result."""
    for result in evaluation.results:
        yield {
            "in": study.in_,
            "backbone": study.title,
            "out": result.out,
            "scorer": result.scorer,
            "auroc": round(result.auroc, 6),
            "auroc_ci": [round(end, 6) for end in result.auroc_ci],
            "fpr95_in": round(result.fpr95_in, 6),
        }


def section(study: Study, found: Sequence[Evaluation]) -> Iterator[str]:
    """A table of AUROC in per cent: the best of each column in bold, with what the scorers say below."""
    results = [result for evaluation in found for result in evaluation.results]
    names = sorted({result.scorer for result in results})
    cells = {(result.scorer, result.out): result.auroc for result in results}
    best = {out: max(cells[name, out] for name in names) for out in study.outs}
    sample = results[0]
    yield f"## {study.title}"
    yield ""
    yield "```console"
    scorers = ("all",) if study.scorers == "all" else study.scorers
    yield f"$ oodkit score {study.words} --out {study.outs[0]} {' '.join(f'--scorer {name}' for name in scorers)}"
    yield "```"
    yield ""
    yield f"In-set {study.in_}: {sample.n_fit:,} images fitted, {sample.n_in:,} tested."
    yield ""
    yield f"| scorer | {' | '.join(study.outs)} | mean |"
    yield f"| --- | {' | '.join('---:' for _ in study.outs)} | ---: |"
    for name in names:
        values = [cells[name, out] for out in study.outs]
        shown = [
            f"**{100 * v:.2f}**" if v == best[out] else f"{100 * v:.2f}"
            for v, out in zip(values, study.outs, strict=True)
        ]
        yield f"| [`{name}`](scorers/{name}.md) | {' | '.join(shown)} | {100 * sum(values) / len(values):.2f} |"
    yield ""
    said = [note for evaluation in found[:1] for note in evaluation.notes]
    said += [f"{result.scorer}: {note}" for result in results for note in result.notes]
    yield from (f"- {note}" for note in dict.fromkeys(said))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--only", metavar="WORDS", default="")
    given = parser.parse_args()
    main(given.data_root, given.weights, given.cache, given.only)
