"""A detector for people who have images rather than arrays."""

import os
import warnings
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from oodkit.backbones import Backbone, load_backbone
from oodkit.data.captions import Captions
from oodkit.data.image_list import Images, as_image_set
from oodkit.data.image_set import ImageSet
from oodkit.data.words import Words
from oodkit.detector.calibration import Calibration
from oodkit.detector.classes import labelled
from oodkit.detector.comparison import CANDIDATES, FOLDS, Comparison, compare
from oodkit.detector.fitting import Task
from oodkit.detector.folder import Saved, read_detector, write_detector
from oodkit.detector.holdout import HOLD_OUT, check_enough
from oodkit.detector.judging import Verdict, judge, verdicts
from oodkit.detector.kinds import Differences, kinds_of
from oodkit.detector.neighbours import FitImages, Neighbour
from oodkit.detector.origin import Origin
from oodkit.embedding import Embeddings, embed
from oodkit.errors import InvalidInput
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.rows import Rows
from oodkit.heads import PROMPT_ENSEMBLE
from oodkit.metrics import BatchAlarm
from oodkit.metrics.batch_alarm import check_alarm_rate
from oodkit.scorers import create
from oodkit.scorers.base import NotFitted, Scorer
from oodkit.views.average_names import check_average

LOOKED_AT = 100  # images of a call, of which kinds are compared with those of the fit


class Detector:
    """A backbone and a scorer: fitted on in-distribution images, it scores others.

    Scores are the scorer's own; higher means more in-distribution. A calibrated detector gives p-values and verdicts
    too. It can be saved to a folder and loaded from it.

    Args:
        backbone: a backbone, or a name for `load_backbone`.
        scorer: a scorer, or a registry name.
        cache: folder of the embedding store; None for OODKIT_CACHE or the platform's cache folder.
        params: the scorer's parameters when it is given by name, such as k=5.

    Raises:
        UnknownName: no such backbone or scorer.

    Attributes:
        backbone: the backbone.
        scorer: the scorer.
        calibration: what verdicts are given by; None before `calibrate`.
        origin: what the scorer was fitted on; None before `fit`.
        notes: what the user should know, one plain statement each.
    """

    def __init__(
        self,
        backbone: Backbone | str = "efficientnet_lite0",
        scorer: Scorer | str = "knn",
        *,
        cache: str | os.PathLike[str] | None = None,
        **params: Any,
    ) -> None:
        self.scorer: Scorer = create(scorer, **params) if isinstance(scorer, str) else scorer
        self.backbone = load_backbone(backbone) if isinstance(backbone, str) else backbone
        self.cache = cache
        self.origin: Origin | None = None
        self.calibration: Calibration | None = None
        self.notes: list[str] = []
        self._rows = Rows()
        self._seen: Embeddings | FitImages | None = None
        self._held_out: Embeddings | None = None
        self._task: Task | None = None

    def fit(
        self,
        images: Images,
        labels: Sequence[int] | ArrayLike | None = None,
        *,
        head: Any = None,
        class_names: Sequence[str] | None = None,
        prompts: Sequence[str] = PROMPT_ENSEMBLE,
        captions: Captions | None = None,
        negatives: Words | None = None,
        out_names: Sequence[str] | None = None,
        logit_scale: bool = False,
        clean_names: bool = False,
        aux: Images | None = None,
        clusters: int | None = None,
        average_views: str | Sequence[str] = (),
        hold_out: float | None = None,
        seed: int = 0,
        skip_unreadable: bool = False,
    ) -> Self:
        """Learn what in-distribution images look like.

        A scorer of logits, or one that works under a classifier, is given a head as in `oodkit.evaluate`: what the
        backbone, the labels or the class names allow.

        Args:
            images: paths, Pillow images, arrays, tensors (`as_image_set` says which), an image set, a folder or a data
                set's name; of a folder or data set with splits the train split, unless another is named.
            labels: (N,) class of each image, for scorers that use classes; default those of the image set.
            head: what gives logits: a registry name, (weight, bias), an `nn.Linear` or a `LinearHead` over features.
            class_names: names of the classes in label order; default those of the image set.
            prompts: sentences with {} where a class name belongs.
            captions: captions of in-distribution images, for "caption"; by file name, those of the train images are
                used alone.
            negatives: words to mine negatives from, for "neglabel"; None for those of WordNet.
            out_names: names of OOD classes, for "in_out_names".
            logit_scale: whether the zero-shot head multiplies its cosines by the model's logit scale.
            clean_names: whether underscores in class names become spaces; published results keep them.
            aux: images that are not in-distribution, for scorers that learn from such; named as `images`.
            clusters: number of k-means clusters of the features' directions that take the place of classes, for images
                without any; not with `labels`.
            average_views: each image that is fitted on stands for the mean of its features and of those of its views of
                these names, such as ("flip", "mild1"). New images are judged as they are.
            hold_out: share of the distinct images that are set apart for `calibrate`, drawn at random, such as 0.2;
                None fits on all.
            seed: of that draw.
            skip_unreadable: leave out images that cannot be read, naming and counting them, instead of stopping.

        Raises:
            OodkitError: an image cannot be read, the scorer lacks something, or cannot be fitted on these.
        """
        train = _train_images(images, labels, clusters)
        extras = Extras(head, prompts, class_names, captions, negatives, out_names, logit_scale, clean_names)
        others = None if aux is None else as_image_set(aux, split="train")
        average = check_average(average_views)
        task = Task(self.backbone, self.scorer, train, extras, others, self.cache, skip_unreadable, clusters, average)
        self._run(task, hold_out, seed)
        return self

    @classmethod
    def choose(
        cls,
        images: Images,
        labels: Sequence[int] | ArrayLike | None = None,
        *,
        backbones: Sequence[Backbone | str] = ("efficientnet_lite0",),
        scorers: Sequence[Scorer | str] = CANDIDATES,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        head: Any = None,
        class_names: Sequence[str] | None = None,
        clusters: int | None = None,
        average_views: str | Sequence[str] = (),
        hold_out: float | None = HOLD_OUT,
        folds: int = FOLDS,
        seed: int = 0,
        skip_unreadable: bool = False,
        cache: str | os.PathLike[str] | None = None,
    ) -> Self:
        """A detector of the backbone and scorer that suit these images, fitted on them.

        In each fold some of the classes, or of ten k-means clusters where there are no classes, stand in for OOD
        images; the largest mean AUROC wins. It is a proxy: what will come may be of another sort. `origin.comparison`
        has all figures. Images that are held out for `calibrate` take no part.

        Args:
            images: as in `fit`.
            labels: as in `fit`.
            backbones: at least one, or names for `load_backbone`.
            scorers: at least one, or registry names.
            params: parameters of scorers that are given by name, such as {"knn": {"k": 5}}.
            head: as in `fit`.
            class_names: as in `fit`.
            clusters: as in `fit`; they are also what is held out then.
            average_views: as in `fit`.
            hold_out: as in `fit`; with None, `calibrate` needs images of its own.
            folds: how many there are, at least 2.
            seed: of all draws.
            skip_unreadable: as in `fit`.
            cache: folder of the embedding store.

        Raises:
            UnknownName: no such backbone or scorer.
            OodkitError: an image cannot be read, or nothing can be fitted on these.
        """
        train, given = _train_images(images, labels, clusters), params or {}
        loaded = [load_backbone(one) if isinstance(one, str) else one for one in backbones]
        models = [create(one, **given.get(one, {})) if isinstance(one, str) else one for one in scorers]
        extras, average = Extras(head, class_names=class_names), check_average(average_views)
        tasks = [
            Task(backbone, model, train, extras, None, cache, skip_unreadable, clusters, average)
            for backbone in loaded
            for model in models
        ]
        best, comparison = compare(tasks, hold_out, seed, folds)
        detector = cls(best.backbone, best.scorer, cache=cache)
        detector._run(best, hold_out, seed, comparison)
        return detector

    def calibrate(self, images: Images | None = None, fpr: float = 0.05, *, seed: int = 0) -> Self:
        """Choose the threshold by the conformal order statistic: at most `fpr` of images like these are flagged.

        The guarantee, with its interval, is `calibration.guarantee`. It is about images drawn as the calibration images
        were: those of a new camera or source may be flagged more often.

        Args:
            images: in-distribution images that the scorer was not fitted on; those among them that it was fitted on are
                left out. None for what `fit` has held out; if it has not, the scorer is fitted again on four fifths of
                its images, and the last fifth calibrates.
            fpr: false-positive rate: share of in-distribution images that may be flagged, in (0, 1).
            seed: of the draw of the fifth.

        Raises:
            TooFewSamples: fewer images than the rate needs, ceil(1 / fpr) - 1.
            NotFitted: `fit` has not been called.
            InvalidInput: scores of this scorer depend on the images beside, or `fpr` is outside (0, 1).
        """
        if not self.scorer.inductive:
            name = type(self.scorer).__name__
            raise InvalidInput(
                f"a score of {name} depends on the images beside it, so it has no threshold; use another"
            )
        if images is not None:
            held: Embeddings | None = self._unseen(as_image_set(images))
            source = "images given apart"
        else:
            if self._held_out is None:
                if self._task is None:
                    raise NotFitted("nothing is held out: call fit(images) first, or give calibration images")
                if self.origin is not None and self.origin.comparison is not None:
                    raise InvalidInput(
                        "the scorer was chosen by all images, so none of them can calibrate: choose with hold_out=0.2, "
                        "or give calibration images"
                    )
                check_enough(len(self._task.train), HOLD_OUT, fpr)
                self._run(self._task, HOLD_OUT, seed)
            assert self.origin is not None
            held, source = self._held_out, f"a held-out part of {self.origin.images}"
        assert held is not None
        self.calibration = Calibration(self.score_features(held.features), fpr, source)
        return self

    def score(self, images: Images) -> NDArray[np.float64]:
        """(N,) scores in the order of the images; higher is more in-distribution.

        Args:
            images: as in `fit`; of a folder or data set with splits the test split, unless another is named.

        Raises:
            OodkitError: an image cannot be read.
            NotFittedError: `fit` has not been called.
        """
        return self.score_features(self._new(as_image_set(images)).features)

    def score_features(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """(N,) scores of features (N, D) that the backbone gave."""
        return self.scorer.score_samples(self._rows.of(features))

    def p_values(self, images: Images) -> NDArray[np.float64]:
        """(N,) in (0, 1]: of an in-distribution image at most a with probability a at most; low for OOD images.

        Raises:
            OodkitError: an image cannot be read.
            NotFitted: `calibrate` has not been called.
        """
        return self._calibrated().p_values(self.score(images))

    def predict(self, images: Images) -> NDArray[np.int64]:
        """(N,) verdicts as scikit-learn writes them: 1 in-distribution, -1 OOD, where the score is below the threshold.

        Raises:
            OodkitError: an image cannot be read.
            NotFitted: `calibrate` has not been called.
        """
        threshold = self._calibrated().threshold
        return np.where(self.score(images) < threshold, -1, 1)

    def alarm(self, images: Images, rate: float = 0.01) -> BatchAlarm:
        """Whether a batch of images as a whole scores lower than the calibration images did.

        Batches that are drawn as these were raise the alarm with probability `rate` at most; how that is known is said
        at `BatchRanks.alarm`.

        Raises:
            OodkitError: an image cannot be read, or the rate is not in (0, 1).
            NotFitted: `calibrate` has not been called.
        """
        calibration = self._calibrated()
        check_alarm_rate(rate)
        return calibration.alarm(self.score(images), rate)

    def explain(self, images: Images, k: int = 3) -> list[tuple[Neighbour, ...]]:
        """The k fit images that each image resembles most by its features, nearest first.

        Raises:
            OodkitError: an image cannot be read.
            NotFitted: `fit` has not been called.
        """
        return self._fit_images().nearest(self._new(as_image_set(images)).features, k)

    def judge(
        self, files: Iterable[str | os.PathLike[str]], *, neighbours: int = 3, differences: Differences | None = None
    ) -> Generator[Verdict, None, None]:
        """A verdict for each file, in order, while the files are read: neither they nor the verdicts are collected.

        Nothing is read from or written to the store. A file that cannot be read gives a verdict with its error.

        Args:
            files: image files, any number.
            neighbours: how many fit images to name for each; 0 for none.
            differences: what `differences()` gave; counts images of another kind than those of the fit.

        Raises:
            NotFitted: `calibrate` has not been called.
        """
        bank = self._fit_images() if neighbours else None
        return judge(files, self.backbone, self.score_features, self._calibrated(), bank, neighbours, differences)

    def differences(self) -> Differences | None:
        """An empty count of images of another size, format or colour than those of the fit; None if it is unknown."""
        return None if self.origin is None or self.origin.kinds is None else Differences(self.origin.kinds)

    def fit_contents(self, ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Ids and encoded contents of those of these fit images whose files are where they were, unchanged."""
        if self._seen is not None and self.origin is not None:
            yield from self._fit_images().contents(ids, self.origin.root)

    def judge_features(self, paths: Sequence[str], features: NDArray[Any], *, neighbours: int = 3) -> list[Verdict]:
        """A verdict for each row of features (N, D) that the backbone gave.

        Args:
            paths: what the verdicts call the images.
            features: (N, D).
            neighbours: how many fit images to name for each; 0 for none.

        Raises:
            NotFitted: `calibrate` has not been called.
        """
        bank = self._fit_images() if neighbours else None
        return verdicts(paths, features, self.score_features, self._calibrated(), bank, neighbours)

    def score_pixels(self, pixels: Tensor) -> Tensor:
        """(B,) scores of pixels; gradients flow to them where the scorer is differentiable.

        Args:
            pixels: (B, 3, H, W) in [0, 1] at the backbone's input size, not normalised.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        rows = self._rows(self.backbone.embed_pixels(pixels))
        if self.scorer.differentiable:
            return self.scorer.score_tensor(rows)
        return torch.from_numpy(self.scorer.score_samples(rows.detach())).to(pixels.device)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the detector to a folder: safetensors, JSON, a model card and the SHA-256 of each file.

        The folder is new, empty, or one that `save` wrote, which is replaced whole. The backbone is written by its name
        and fingerprint, not its weights.

        Raises:
            NotFitted: `fit` has not been called.
            InvalidInput: the folder holds other things, or the scorer cannot be saved.
        """
        images = None if self._seen is None else self._fit_images()
        saved = Saved(self.backbone, self.scorer, self._rows, self.calibration, images, self.origin)
        write_detector(saved, folder, self.notes)

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        backbone: Backbone | str | None = None,
        device: str = "auto",
        cache: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Read a detector that `save` wrote; its scores are bitwise those of the saved one.

        Args:
            folder: as given to `save`.
            backbone: the backbone or its name, where the saved name does not lead to it; needed for "module:" ones,
                which are Python code that a folder shall not choose.
            device: of the backbone: "auto", "cpu", "cuda", "cuda:N" or "mps".
            cache: folder of the embedding store.

        Raises:
            DataNotFound: no detector was saved there, or a file is missing.
            InvalidInput: a file was changed, the folder is of a newer format, or the backbone gives other features.
        """
        saved, notes = read_detector(folder, backbone, device)
        detector = cls(saved.backbone, saved.scorer, cache=cache)
        detector._rows, detector.calibration, detector._seen = saved.rows, saved.calibration, saved.images
        detector.origin, detector.notes = saved.origin, notes
        return detector

    def __repr__(self) -> str:
        """Backbone and scorer."""
        return f"<Detector {self.scorer!r} on {self.backbone.name}, {self.backbone.image_size} px>"

    @property
    def fitted_on(self) -> str | None:
        """Fingerprint of the images that the scorer was fitted on; None before `fit`."""
        return None if self.origin is None else self.origin.fingerprint

    def _run(self, task: Task, hold_out: float | None, seed: int, comparison: Comparison | None = None) -> None:
        fitted = task.run(hold_out, seed)
        parts, name = fitted.parts, f"{task.train.name}:{task.train.split}"
        self._task, self._rows, self._seen, self._held_out = task, fitted.rows, parts.seen, parts.held_out
        self.origin = Origin.of(parts.train, name, fitted.classes, comparison, task.average)
        self.notes, self.calibration = list(parts.notes), None

    def _unseen(self, images: ImageSet) -> Embeddings:
        """Features of calibration images, without those that were fitted on."""
        found = self._embed(images)
        if self._seen is None or self._seen.digests is None or found.digests is None:
            return found
        seen = {row.tobytes() for row in self._seen.digests}
        new = np.array([row.tobytes() not in seen for row in found.digests])
        if not new.all():
            self.notes.append(f"{int((~new).sum())} of {len(new)} calibration images were fitted on and are left out")
        return found[new]

    def _calibrated(self) -> Calibration:
        if self.calibration is None:
            raise NotFitted("this detector has no threshold yet; call calibrate() after fit")
        return self.calibration

    def _fit_images(self) -> FitImages:
        if self._seen is None:
            raise NotFitted("the images that this detector was fitted on are not known; call fit(images) first")
        return self._seen if isinstance(self._seen, FitImages) else FitImages.of(self._seen)

    def _new(self, images: ImageSet) -> Embeddings:
        """Features of new images; a warning says if they are of another kind than those of the fit."""
        if (differences := self.differences()) is not None:
            for kind in kinds_of(images, LOOKED_AT):
                differences.add(kind)
            if (note := differences.note()) is not None:
                warnings.warn(note, stacklevel=3)
        return self._embed(images)

    def _embed(self, images: ImageSet) -> Embeddings:
        return embed(images, self.backbone, cache=self.cache)


def _train_images(images: Images, labels: Sequence[int] | ArrayLike | None, clusters: int | None) -> ImageSet:
    """Images to fit on, with the labels that are given beside them."""
    train = as_image_set(images, split="train")
    if labels is None:
        return train
    if clusters is not None:
        raise InvalidInput("labels and clusters were both given; classes are one or the other")
    return labelled(train, labels)
