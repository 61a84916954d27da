"""Training from a data set to a folder."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from oodkit.backbones import load_backbone
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.training import train
from oodkit.training.stage import Stage
from tests.training.conftest import SELFDISTILL, SEMSAD

SMALL = {"preset": "small", "image_size": 16, "batch": 8}


def _selfdistill(data, to, **options):
    params = {**SELFDISTILL, **options.pop("params", {})}
    return train("selfdistill", "shots", to=to, data_root=data, params=params, **{**SMALL, "epochs": 2, **options})


def _semsad(data, to, **options):
    params = {**SEMSAD, **options.pop("params", {})}
    return train("semsad", "shots", to=to, data_root=data, params=params, **{**SMALL, "epochs": 2, **options})


def _state(folder, name="encoder"):
    return load_file(folder / f"{name}.safetensors")


def _same(a, b):
    return all(torch.equal(a[key], b[key]) for key in a | b)


def test_self_distillation_learns(data, tmp_path):
    """The loss of the last tenth of the steps is below that of the first; the folder says where it came from."""
    trained = _selfdistill(data, tmp_path / "a", epochs=15, params={"base_rate": 0.03})

    losses = trained.card["losses"]["encoder"]
    assert losses["last"] < losses["first"] - 0.1
    assert trained.card["data"]["images"] == 24
    assert trained.card["data"]["name"] == "shots"
    assert len(json.loads((tmp_path / "a" / "losses.json").read_text())["encoder"]) == 45
    assert not (tmp_path / "a" / "checkpoint.safetensors").exists()


def test_what_was_trained_is_a_backbone(data, tmp_path):
    """trained:FOLDER gives features, and its fingerprint is that of its weights."""
    trained = _selfdistill(data, tmp_path / "a")
    backbone = load_backbone(trained.backbone)
    other = load_backbone(_selfdistill(data, tmp_path / "b", seed=1).backbone)

    features = backbone.embed_pixels(torch.zeros(2, 3, 16, 16))

    assert features.shape == (2, 128)
    assert backbone.fingerprint != other.fingerprint
    assert load_backbone(trained.backbone).fingerprint == backbone.fingerprint


@pytest.mark.parametrize(
    ("make", "stop", "patience"),
    [
        (_selfdistill, 1, 0),
        (_selfdistill, 4, 0),
        (_semsad, 1, 0),
        (_semsad, 8, 0),
        (_semsad, 3, 1),
        (_selfdistill, 3, 1),
    ],
)
def test_a_run_that_was_stopped_ends_with_the_same_weights(data, tmp_path, monkeypatch, make, stop, patience):
    """Stopped after any step, in either stage, and called again: bit for bit what an uninterrupted run gives."""
    params = {"patience": patience}
    whole = make(data, tmp_path / "whole", params=params)
    done = []

    def after(self, step, world):
        done.append(step)
        if len(done) == stop:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        for kind in Stage.__subclasses__():
            patch.setattr(kind, "after_update", _both(kind.after_update, after))
        with pytest.raises(KeyboardInterrupt):
            make(data, tmp_path / "parts", save_seconds=0.0, params=params)
    assert not (tmp_path / "parts" / "card.json").exists()
    parts = make(data, tmp_path / "parts", save_seconds=0.0, params=params)

    for name in ("encoder", "head" if make is _selfdistill else "discriminator"):
        assert _same(_state(whole.folder, name), _state(parts.folder, name))
    assert whole.card["losses"] == parts.card["losses"]


def _both(first, then):
    def run(self, step, world):
        first(self, step, world)
        then(self, step, world)

    return run


def test_a_finished_run_is_not_done_again(data, tmp_path):
    """The second call reads the card."""
    first = _selfdistill(data, tmp_path / "a")
    stamp = (tmp_path / "a" / "encoder.safetensors").stat().st_mtime_ns

    assert _selfdistill(data, tmp_path / "a").card == first.card
    assert (tmp_path / "a" / "encoder.safetensors").stat().st_mtime_ns == stamp


def test_seeds_make_other_weights(data, tmp_path):
    """The same seed the same, another one others."""
    one, again, other = (_semsad(data, tmp_path / str(i), seed=seed) for i, seed in enumerate((0, 0, 1)))

    assert _same(_state(one.folder), _state(again.folder))
    assert not _same(_state(one.folder), _state(other.folder))


def test_an_auxiliary_set_gives_negatives(data, tmp_path):
    """With them alone, or beside the shifted images."""
    for shift in ("none", "patches2"):
        trained = _selfdistill(data, tmp_path / shift, aux="others", params={"shift": shift})
        assert trained.card["aux"]["name"] == "others"


@pytest.mark.parametrize("aux", ["shots", "copies"])
def test_an_auxiliary_set_of_in_images_is_refused(data, tmp_path, aux):
    """By name and by content; nothing is written."""
    with pytest.raises(InvalidInput, match="has images of the in-set 'shots'"):
        _selfdistill(data, tmp_path / "a", aux=aux)
    assert not (tmp_path / "a").exists()


def test_the_folder_of_another_run_is_refused(data, tmp_path):
    """Another seed is another run."""
    _selfdistill(data, tmp_path / "a")

    with pytest.raises(InvalidInput, match="seed is 0 there, 1 here"):
        _selfdistill(data, tmp_path / "a", seed=1)


def test_too_few_images_for_a_batch(data, tmp_path):
    """24 images, batches of 25; a pool of more than there are."""
    with pytest.raises(TooFewSamples, match="batch=25 needs as many images, got 24"):
        _selfdistill(data, tmp_path / "a", batch=25)
    with pytest.raises(TooFewSamples, match="pool=100 needs as many images, got 24"):
        _semsad(data, tmp_path / "a", params={"pool": 100})


def test_a_loss_that_is_no_number_stops_the_run(data, tmp_path):
    """With the step and the settings that led there."""
    with pytest.raises(InvalidInput, match=r"at step \d+ of 6 \(learning_rate=1e\+30, batch=8, temperature=0.5\)"):
        _semsad(data, tmp_path / "a", params={"learning_rate": 1e30})


def test_pairs_are_judged_image_by_image(data, tmp_path):
    """The score of semsad on an out-set is inductive; a set and its copy under another name cannot be told apart."""
    trained = _semsad(data, tmp_path / "a", outs=["others", "shots"])

    assert [judged.protocol for judged in trained.judgements] == ["inductive", "inductive"]
    assert trained.judgements[1].auroc == 0.5
    assert (trained.judgements[0].n_in, trained.judgements[0].n_out) == (8, 16)


def test_answers_of_the_head_are_judged_image_by_image(data, tmp_path):
    """The score of selfdistill is how far an answer is from uniform; of one set twice, it tells nothing apart."""
    trained = _selfdistill(data, tmp_path / "a", outs=["others", "shots"])

    assert [judged.protocol for judged in trained.judgements] == ["inductive", "inductive"]
    assert 0 <= trained.judgements[0].auroc <= 1
    assert trained.judgements[1].auroc == 0.5


def test_pools_of_anchors(data, tmp_path):
    """As published: anchors of one part of the images, neighbours in the part before."""
    trained = _semsad(data, tmp_path / "a", params={"pool": 10, "semantic_share": 1.0})

    assert trained.card["losses"]["discriminator"]["steps"] == 4


def test_the_transductive_protocol_is_named(data, tmp_path):
    """Each out-set has a figure for batches of one set and one for mixed batches, and a note says what they are."""
    trained = _semsad(data, tmp_path / "a", transductive=True, outs=["others"])

    assert [judged.protocol for judged in trained.judgements] == ["transductive", "mixed batches"]
    assert any(note.startswith("transductive: ") for note in trained.notes)


def test_the_network_of_a_backbone_is_trained_further(data, tmp_path):
    """From the weights of a first training, at its size; the result differs from what it began with."""
    first = _selfdistill(data, tmp_path / "a")
    options = {"preset": "small", "batch": 8, "epochs": 1, "params": {**SELFDISTILL, "base_rate": 0.01}}
    second = train("selfdistill", "shots", to=tmp_path / "b", data_root=data, backbone=first.backbone, **options)
    third = train(
        "semsad",
        "shots",
        to=tmp_path / "c",
        data_root=data,
        backbone=first.backbone,
        **{**options, "params": SEMSAD},
    )
    pixels = torch.rand(2, 3, 16, 16)
    features = [load_backbone(trained.backbone).embed_pixels(pixels).numpy() for trained in (first, second, third)]

    assert features[1].shape == (2, 128)
    assert features[2].shape == (2, 64)
    assert not np.allclose(features[0], features[1])


@pytest.fixture
def pretrained(tmp_path):
    """Names of backbones that are there without a download: the bundled one and two of timm with weights in files."""

    def name(model):
        if not model.startswith("timm:"):
            return model
        with torch.random.fork_rng():
            torch.manual_seed(0)
            options = {"img_size": 32} if "vit" in model else {}
            state = timm.create_model(model.removeprefix("timm:"), pretrained=False, **options).state_dict()
        save_file(state, tmp_path / "weights.safetensors")
        return f"{model}/{tmp_path / 'weights.safetensors'}"

    return name


@pytest.mark.parametrize(
    ("method", "model"),
    [
        ("selfdistill", "efficientnet_lite0"),
        ("semsad", "efficientnet_lite0"),
        ("semsad", "timm:resnet10t"),
        ("selfdistill", "timm:vit_tiny_patch16_224"),  # takes no small local crops
    ],
)
def test_backbones_are_trained_further(data, tmp_path, pretrained, method, model):
    """The bundled network and timm's: a step changes their weights, and the figures of the result are its own."""
    said = []
    name = pretrained(model)
    params = SELFDISTILL | {"base_rate": 0.01} if method == "selfdistill" else SEMSAD
    trained = train(
        method,
        "shots",
        to=tmp_path / "a",
        data_root=data,
        backbone=name,
        image_size=32,
        preset="small",
        batch=8,
        epochs=1,
        params=params,
        outs=["others"],
        say=said.append,
    )
    before, after = (load_backbone(word, image_size=32, device="cpu") for word in (name, trained.backbone))
    pixels = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    assert after.preprocessing == before.preprocessing
    assert after.dim == (before.dim if method == "selfdistill" else 64)
    if method == "selfdistill":
        assert not torch.allclose(before.embed_pixels(pixels), after.embed_pixels(pixels))
    assert np.isfinite(trained.card["losses"]["encoder"]["last"])
    assert len(trained.judgements) == 1
    assert any("local crops are enlarged to 32 px" in line for line in said) == ("vit" in model)


@pytest.mark.parametrize("make", [_selfdistill, _semsad])
def test_mixed_precision_trains(data, tmp_path, make):
    """bf16 gives losses near those of float32, also with maps of one pixel, and its folder says so."""
    exact = make(data, tmp_path / "a")
    trained = make(data, tmp_path / "b", precision="bf16")

    assert trained.card["precision"] == "bf16"
    for stage, losses in exact.card["losses"].items():
        assert trained.card["losses"][stage]["first"] == pytest.approx(losses["first"], rel=0.05)
        assert np.isfinite(trained.card["losses"][stage]["last"])


def test_training_stops_where_held_out_images_say_so(data, tmp_path):
    """With a rate that ruins what was learnt: after `patience` epochs, with the best weights, twice alike."""
    params = {"patience": 2, "held_out": 0.34, "learning_rate": 0.3}
    trained, again = (_semsad(data, tmp_path / name, epochs=30, params=params) for name in ("a", "b"))

    losses = trained.card["losses"]["encoder"]
    history = json.loads((tmp_path / "a" / "losses.json").read_text())["encoder held out"]
    assert losses["epochs"] == len(history) < 30
    assert losses["best_epoch"] == losses["epochs"] - 2 == 1 + int(np.argmin(history))
    assert trained.card["data"]["images"] == 16
    assert trained.card["held_out"]["images"] == 8
    assert not (tmp_path / "a" / "best.safetensors").exists()
    assert _same(_state(trained.folder), _state(again.folder))


def test_too_few_images_to_hold_some_out(data, tmp_path):
    """At least eight say when to stop, or nobody does."""
    with pytest.raises(TooFewSamples, match="patience=1 holds 24 images out, got 24; set patience=0"):
        _semsad(data, tmp_path / "a", params={"patience": 1, "held_out": 0.99})


@pytest.mark.parametrize(("method", "params"), [("selfdistill", SELFDISTILL), ("semsad", SEMSAD | {"patience": 1})])
def test_two_processes_train_together(data, tmp_path, method, params):
    """Under torchrun each takes half of every batch, and batch normalisation the statistics of both halves: the losses
    are those of one process, and the folder is usable.
    """
    make = _selfdistill if method == "selfdistill" else _semsad
    alone = make(data, tmp_path / "alone", seed=3, params=params)
    words = [f"--param={key}={value}" for key, value in params.items()]
    program = "from oodkit.cli.main import main; main()"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    command += [sys.executable, "-c", program, "train", method, "--in=shots", f"--data-root={data}", *words]
    command += ["--preset=small", "--image-size=16", "--batch=8", "--epochs=2", "--seed=3", "--device=cpu", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    done = subprocess.run(
        [*command, f"--to={tmp_path / 'both'}"], capture_output=True, text=True, env=environment, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["card"]["processes"] == 2
    losses = [json.loads((tmp_path / name / "losses.json").read_text()) for name in ("alone", "both")]
    for stage, values in losses[0].items():
        np.testing.assert_allclose(values, losses[1][stage], rtol=5e-3, err_msg=stage)
    backbone = load_backbone(f"trained:{tmp_path / 'both'}")
    assert backbone.embed_pixels(torch.zeros(1, 3, 16, 16)).shape[0] == 1
    assert alone.card["processes"] == 1
