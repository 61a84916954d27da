"""From a data set to a folder with a trained encoder."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from oodkit.backbones import Preprocessing, load_backbone
from oodkit.backbones.encoders import Squeezed
from oodkit.backbones.trained_family import WEIGHTS
from oodkit.data import DatasetName, FitAndTest, load_dataset, load_fit_and_test, take
from oodkit.data.image_set import ImageSet
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.checks import check_seed
from oodkit.scorers.schedule import best_epoch
from oodkit.training.contrast import Contrast
from oodkit.training.draws import drawing, generator_of
from oodkit.training.early_stop import EarlyStop
from oodkit.training.folder import BEST, TrainingFolder
from oodkit.training.images import TrainingImages
from oodkit.training.judging import Judgement, judge_pairs, judge_uniformity
from oodkit.training.loop import Say, held_out_name, run_stage
from oodkit.training.mixed_precision import Precision
from oodkit.training.pair_score import PairScore, features_of
from oodkit.training.pairs import Pairs
from oodkit.training.presets import preset as preset_of
from oodkit.training.projection_head import ProjectionHead
from oodkit.training.self_distillation import SelfDistillation, width_of
from oodkit.training.settings import SelfDistillSettings, SemSADSettings, Settings, changed, from_backbone
from oodkit.training.settings import with_image_size as sized
from oodkit.training.stage import Stage
from oodkit.training.uniformity_score import UniformityScore
from oodkit.training.world import World, joined

HEAD, DISCRIMINATOR = "head.safetensors", "discriminator.safetensors"

LEAST_HELD_OUT = 8  # images

_LIBRARIES = ("oodkit-vision", "torch", "torchvision", "timm", "numpy")
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_UNCHANGED = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


Made = TypeVar("Made")


@dataclass(frozen=True)
class Trained:
    """What a training gives.

    Attributes:
        folder: where it lies.
        backbone: name that `load_backbone` takes.
        card: settings, data, versions, seed, losses.
        notes: what a reader of figures should know.
        judgements: how well the method's own score tells sets apart, where it was asked.
        leads: whether this process is the one that speaks; others have no judgements.
    """

    folder: Path
    backbone: str
    card: dict[str, Any]
    notes: tuple[str, ...]
    judgements: tuple[Judgement, ...]
    leads: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "folder": str(self.folder),
            "backbone": self.backbone,
            "notes": list(self.notes),
            "judgements": [asdict(judgement) for judgement in self.judgements],
            "card": self.card,
        }


def train(
    method: str,
    in_: str,
    *,
    to: str | os.PathLike[str],
    aux: str | None = None,
    outs: Sequence[str] = (),
    preset: str = "paper",
    backbone: str | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    image_size: int | None = None,
    transductive: bool = False,
    params: Mapping[str, Any] | None = None,
    seed: int = 0,
    limit: int | None = None,
    precision: Precision = "fp32",
    workers: int = 0,
    device: str = "auto",
    data_root: str | os.PathLike[str] | None = None,
    save_seconds: float = 60.0,
    say: Say = lambda line: None,
) -> Trained:
    """Train an image model on the train images of a data set, without labels.

    The same arguments give the same weights on the same machine, whether or not the run was stopped between; a run
    that is called again goes on where it was, and one that is done is not done again. Started by torchrun, processes
    share each batch; all must see the folder.

    Args:
        method: "selfdistill" or "semsad".
        in_: name of the in-set; of a set with one split, the half that `seed` gives is trained on.
        to: the folder: weights, a card, the loss of each step. Its encoder is the backbone "trained:FOLDER".
        aux: name of a set whose images are negatives too; selfdistill only.
        outs: names of out-sets that the method's own score is tried on: log-odds of pairs (semsad), or how far
            the head's answer is from uniform (selfdistill).
        preset: "paper" or "small".
        backbone: name of a backbone whose network is trained on; None for one from scratch.
        epochs: of the encoder; None for those of the preset.
        batch: images of a step of the encoder, all processes together; None for that of the preset.
        image_size: side in pixels that images are brought to; None for that of preset or backbone.
        transductive: semsad's published protocol: its discriminator takes statistics of whole batches of one kind.
        params: other settings by name, as in `SelfDistillSettings` and `SemSADSettings`.
        seed: of all draws.
        limit: at most so many images, drawn by the seed.
        precision: "bf16" trains in mixed precision.
        workers: processes that prepare samples; 0 for none.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        data_root: folder of data sets.
        save_seconds: between two checkpoints.
        say: takes lines on how it goes.

    Raises:
        InvalidInput: settings that cannot work, a folder of another run, an auxiliary set that is the in-set, or a loss
            that is no finite number.
        TooFewSamples: fewer images than a step takes.
    """
    check_seed(seed)
    settings = preset_of(method, preset)
    if backbone is not None:
        settings, preprocessing = _of_backbone(settings, backbone, image_size, say)
    else:
        settings = settings if image_size is None else sized(settings, image_size)
        mean, std = _IMAGENET if isinstance(settings, SelfDistillSettings) else _UNCHANGED
        preprocessing = Preprocessing(settings.source_size, settings.source_size, mean, std)
    given = {"epochs": epochs, "batch": batch}
    settings = changed(settings, {**{k: v for k, v in given.items() if v is not None}, **(params or {})})
    if transductive:
        settings = _transductive(settings)
    settings.check(aux is not None)
    halves = load_fit_and_test(in_, data_root=data_root, seed=seed)
    fit = halves.fit if limit is None else take(halves.fit, limit, seed)
    fit, held = _held_out(fit, settings, seed)
    others = None if aux is None else load_dataset(aux, data_root=data_root, prefer="train")
    if others is not None:
        _refuse_same(in_, fit, str(aux), others)
    out_sets = {name: load_dataset(name, data_root=data_root) for name in outs}
    notes = _notes(halves, seed, settings)
    with joined(device) as world:
        _check_sizes(settings, len(fit), world)
        run = {
            "method": method,
            "settings": asdict(settings),
            "preprocessing": asdict(preprocessing),
            "seed": seed,
            "precision": precision,
            "data": _data(fit),
            "aux": None if others is None else _data(others),
        }
        if held is not None:
            run["held_out"] = _data(held)
        folder = TrainingFolder(Path(to), run)
        course = _Course(folder, world, seed, precision, workers, save_seconds, say if world.leads else _silent)
        images = TrainingImages(fit, preprocessing)
        if not folder.finished:
            world.wait()  # nobody writes before everybody has looked
            if world.leads:
                folder.begin()
            aux_images = None if others is None else TrainingImages(others, preprocessing)
            course.held = None if held is None else TrainingImages(held, preprocessing)
            started = time.perf_counter()
            course.run(settings, images, aux_images, preprocessing)
            if world.leads:
                enlarged = settings.enlarged if isinstance(settings, SelfDistillSettings) else None
                folder.finish(
                    {
                        **run,
                        "preset": preset,
                        "encoder": asdict(settings.encoder),
                        "enlarged": enlarged,
                        "versions": {name: version(name) for name in _LIBRARIES},
                        "processes": world.size,
                        "device": world.device.type,
                        "seconds": round(time.perf_counter() - started, 1),
                        "losses": course.summary(),
                        "notes": notes,
                    }
                )
            world.wait()
        judgements: tuple[Judgement, ...] = ()
        if out_sets and world.leads:
            if isinstance(settings, SemSADSettings):
                pairs = course.pair_score(settings, images, preprocessing)
                judgements = judge_pairs(pairs, halves.test, out_sets, settings.transductive, limit, seed)
            else:
                uniformity = course.uniformity_score(settings, preprocessing)
                judgements = judge_uniformity(uniformity, halves.test, out_sets, limit, seed)
        return Trained(folder.path, f"trained:{folder.path}", folder.card, tuple(notes), judgements, world.leads)


class _Course:
    """The stages of a run, one after the other."""

    def __init__(
        self,
        folder: TrainingFolder,
        world: World,
        seed: int,
        precision: Precision,
        workers: int,
        save_seconds: float,
        say: Say,
    ) -> None:
        self.folder, self.world, self.seed = folder, world, seed
        self.precision, self.workers, self.save_seconds, self.say = precision, workers, save_seconds, say
        self.held: TrainingImages | None = None
        self.start = None if folder.finished else folder.checkpoint()
        self.losses: dict[str, list[float]] = {} if self.start is None else self.start.losses

    def run(
        self, settings: Settings, images: TrainingImages, aux: TrainingImages | None, preprocessing: Preprocessing
    ) -> None:
        """Train all stages and write their weights."""
        if isinstance(settings, SelfDistillSettings):
            encoder = self._made("encoder", settings.encoder.build)
            stage = self._made(
                "head", lambda: SelfDistillation(settings, encoder, images, aux, preprocessing, self.seed)
            )
            self._train(stage, lambda held: stage.over(held, self._batch(settings.batch)), settings.patience)
            self._keep(WEIGHTS, stage.teacher_encoder)
            self._keep(HEAD, stage.teacher_head)
            return
        encoder = self._encoder_of_pairs(settings, images, preprocessing)
        discriminator = self._made("discriminator", settings.discriminator.build)

        def over(images: TrainingImages, settings: SemSADSettings) -> Pairs:
            features = features_of(encoder, images, preprocessing, self.world.device)
            return Pairs(settings, discriminator, images, features, self.seed)

        few = replace(settings, pool=None, discriminator_batch=self._batch(settings.discriminator_batch))
        self._train(over(images, settings), lambda held: over(held, few), settings.patience)
        self._keep(DISCRIMINATOR, discriminator)

    def pair_score(self, settings: SemSADSettings, images: TrainingImages, preprocessing: Preprocessing) -> PairScore:
        """The score of a finished run."""
        encoder, discriminator = settings.encoder.build(), settings.discriminator.build()
        self.folder.load_weights(WEIGHTS, encoder)
        self.folder.load_weights(DISCRIMINATOR, discriminator)
        device = self.world.device
        return PairScore(encoder.to(device), discriminator.to(device), preprocessing, images, device)

    def uniformity_score(self, settings: SelfDistillSettings, preprocessing: Preprocessing) -> UniformityScore:
        """The score of a finished run."""
        encoder = settings.encoder.build()
        self.folder.load_weights(WEIGHTS, encoder)
        whole = encoder if settings.enlarged is None else Squeezed(encoder, settings.enlarged)
        width = width_of(encoder.eval(), settings.global_size)
        head = ProjectionHead(width, settings.hidden, settings.code, settings.outputs)
        self.folder.load_weights(HEAD, head)
        network = nn.Sequential(whole, head).to(self.world.device)
        return UniformityScore(network, preprocessing, settings.student_temperature, self.world.device)

    def summary(self) -> dict[str, dict[str, float]]:
        """By stage, the mean loss of the first and of the last tenth of the steps, and the best epoch."""
        found = {}
        for stage in [name for name in (Contrast.name, Pairs.name) if name in self.losses]:
            values = self.losses[stage]
            part = max(1, len(values) // 10)
            found[stage] = {
                "steps": len(values),
                "first": sum(values[:part]) / part,
                "last": sum(values[-part:]) / part,
            }
            held_out = self.losses.get(held_out_name(stage))
            if held_out:
                best = best_epoch(held_out)
                found[stage] |= {"epochs": len(held_out), "best_epoch": best + 1, "held_out": held_out[best]}
        return found

    def _encoder_of_pairs(
        self, settings: SemSADSettings, images: TrainingImages, preprocessing: Preprocessing
    ) -> nn.Module:
        encoder = self._made("encoder", settings.encoder.build)
        if self.start is not None and self.start.stage == Pairs.name:
            self.folder.load_weights(WEIGHTS, encoder)
            return encoder.to(self.world.device)

        def over(images: TrainingImages, settings: SemSADSettings) -> Contrast:
            return Contrast(settings, encoder, images, preprocessing, self.seed, self.world)

        few = replace(settings, batch=self._batch(settings.batch))
        self._train(over(images, settings), lambda held: over(held, few), settings.patience)
        self._keep(WEIGHTS, encoder)
        return encoder

    def _made(self, name: str, make: Callable[[], Made]) -> Made:
        """What is made of random numbers, the same for each process and each time."""
        with drawing(self.seed, "initial", name):
            return make()

    def _train(self, stage: Stage, over: Callable[[TrainingImages], Stage], patience: int) -> None:
        """Train a stage; `over` makes the same networks over held-out images."""
        start = self.start if self.start is not None and self.start.stage == stage.name else None
        stage.to(self.world.device)
        stop = None if self.held is None else EarlyStop(over(self.held), patience, self._keep_best, self._recall)
        run_stage(
            stage,
            self.world,
            seed=self.seed,
            losses=self.losses,
            start=start,
            save=self.folder.save if self.world.leads else None,
            save_seconds=self.save_seconds,
            precision=self.precision,
            workers=self.workers,
            stop=stop,
            say=self.say,
        )

    def _batch(self, size: int) -> int:
        """Held-out images of a step, where a step of the training has so many."""
        count = size if self.held is None else min(size, len(self.held))
        return count // self.world.size * self.world.size

    def _keep_best(self, module: nn.Module) -> None:
        if self.world.leads:
            self.folder.save_weights(BEST, module)

    def _recall(self, module: nn.Module) -> None:
        self.world.wait()
        self.folder.load_weights(BEST, module)

    def _keep(self, name: str, module: nn.Module) -> None:
        if self.world.leads:
            self.folder.save_weights(name, module)
            self.folder.save_losses(self.losses)
        self.world.wait()


def _held_out(fit: ImageSet, settings: Settings, seed: int) -> tuple[ImageSet, ImageSet | None]:
    """Images to learn from, and those that say when to stop; none where training goes on to the end."""
    if not settings.patience:
        return fit, None
    count = max(LEAST_HELD_OUT, round(settings.held_out * len(fit)))
    if count >= len(fit):
        raise TooFewSamples(f"patience={settings.patience} holds {count} images out, got {len(fit)}; set patience=0")
    order = torch.randperm(len(fit), generator=generator_of(seed, "held out")).numpy()
    return fit.subset(np.sort(order[count:])), fit.subset(np.sort(order[:count]))


def _of_backbone(settings: Settings, name: str, image_size: int | None, say: Say) -> tuple[Settings, Preprocessing]:
    """Settings for the network of a backbone, with its preprocessing."""
    loaded = load_backbone(name, image_size=image_size, device="cpu")
    dim = settings.encoder.dim if isinstance(settings, SemSADSettings) else None  # type: ignore[union-attr]
    settings = from_backbone(settings, loaded.name, loaded.image_size, dim)
    if isinstance(settings, SelfDistillSettings):
        side = settings.local_size
        try:
            with torch.no_grad():
                loaded.trainable_module().eval()(torch.zeros(1, 3, side, side))
        except (RuntimeError, ValueError, AssertionError):
            say(f"{loaded.name} takes no images of {side} px: local crops are enlarged to {loaded.image_size} px")
            settings = replace(settings, local_size=loaded.image_size)
    return settings, loaded.preprocessing


def _transductive(settings: Settings) -> Settings:
    if not isinstance(settings, SemSADSettings):
        raise InvalidInput("only semsad has a transductive protocol; leave --transductive out")
    return replace(settings, transductive=True, discriminator=replace(settings.discriminator, norm="batch_statistics"))


def _refuse_same(in_: str, fit: ImageSet, aux: str, others: ImageSet) -> None:
    """Refuse an auxiliary set that has images of the in-set: they would be taught to be none of it."""
    names = [DatasetName.parse(name).source for name in (in_, aux)]
    own = {fit.digest(index) for index in range(len(fit))} if names[0] != names[1] else set()
    if names[0] == names[1] or any(others.digest(index) in own for index in range(len(others))):
        raise InvalidInput(
            f"the auxiliary set {aux!r} has images of the in-set {in_!r}, which would be negatives; name another"
        )


def _check_sizes(settings: Settings, count: int, world: World) -> None:
    sizes = {"batch": settings.batch}
    if isinstance(settings, SemSADSettings):
        sizes["discriminator_batch"] = settings.discriminator_batch
        sizes["pool"] = settings.pool or 1
    for name, size in sizes.items():
        if count < size:
            raise TooFewSamples(f"{name}={size} needs as many images, got {count}; choose a smaller one")
        if name != "pool" and size % world.size:
            raise InvalidInput(f"{name}={size} cannot be shared evenly by {world.size} processes")
    if isinstance(settings, SemSADSettings) and count <= settings.neighbours:
        raise TooFewSamples(f"neighbours={settings.neighbours} needs more images than that, got {count}")


def _notes(halves: FitAndTest, seed: int, settings: Settings) -> list[str]:
    notes = []
    if halves.note is not None:
        notes.append(f"{halves.note}; score with the same seed, --seed {seed}, or images of the training are tested")
    if isinstance(settings, SemSADSettings) and settings.transductive:
        notes.append(
            "transductive: the discriminator's scores depend on the images beside them, so these figures tell whole "
            "sets apart, not images, and are not comparable with others"
        )
    return notes


def _data(images: ImageSet) -> dict[str, Any]:
    return {"name": images.name, "split": images.split, "images": len(images), "fingerprint": images.fingerprint}


def _silent(line: str) -> None:
    """Nobody hears."""
