"""Named settings: those of the papers' code, and small ones that a CPU trains in minutes."""

from oodkit.backbones.encoders import ResNetSpec, ViTSpec
from oodkit.errors import unknown_name
from oodkit.training.settings import SelfDistillSettings, SemSADSettings, Settings

# Rafiee et al., ICANN 2022: command of the released code's README, and its defaults where that says nothing. Published
# runs have 32 images on each of 4 GPUs. Negatives of an auxiliary set come with --aux.
SELFDISTILL_PAPER = SelfDistillSettings(
    encoder=ViTSpec(width=384, depth=12, heads=6, patch=16, input_size=256, drop_path=0.1),
    source_size=32,
    enlarged=256,
    local_size=128,
    epochs=500,
    batch=128,
    base_rate=0.004,
    final_rate=1e-6,
    warm_up=30,
    weight_decay=(0.04, 0.4),
    clip=3.0,
    frozen_epochs=1,
    momentum=0.996,
    teacher_temperatures=(0.04, 0.01),
    student_temperature=0.1,
    centre_momentum=0.9,
    hidden=2048,
    code=256,
    outputs=4096,
    learn_gains=True,
    local_crops=8,
    negative_local_crops=8,
    shift="rotate",
    negative_weight=1.0,
)
# A network that learns from a thousand images, and a sharper teacher with fewer outputs: in so few steps, the published
# temperatures let all answers become uniform, which shows in the loss of the training images: it ends at log K.
SELFDISTILL_SMALL = SelfDistillSettings(
    encoder=ResNetSpec(layers=(1, 1, 1, 1), channels=(32, 64, 128, 256), stem="5x5", dim=128),
    source_size=32,
    enlarged=None,
    local_size=16,
    epochs=8,
    batch=32,
    base_rate=0.008,
    final_rate=1e-5,
    warm_up=1,
    weight_decay=(0.04, 0.1),
    clip=3.0,
    frozen_epochs=0,
    momentum=0.95,
    teacher_temperatures=(0.004, 0.004),
    student_temperature=0.1,
    centre_momentum=0.9,
    hidden=256,
    code=64,
    outputs=64,
    learn_gains=False,
    local_crops=2,
    negative_local_crops=1,
    shift="rotate",
    negative_weight=0.5,
)

# Rafiee et al., arXiv 2012.00461: the released code for CIFAR. Group normalisation stands for the batch statistics of
# its discriminator, unless `transductive` is set.
SEMSAD_PAPER = SemSADSettings(
    encoder=ResNetSpec(layers=(2, 2, 2, 2), channels=(64, 128, 256, 512), stem="3x3", dim=128),
    source_size=32,
    epochs=1500,
    batch=2048,
    learning_rate=3e-4,
    weight_decay=1e-6,
    temperature=0.5,
    discriminator=ResNetSpec(
        layers=(3, 4, 6, 3), channels=(64, 128, 256, 512), stem="3x3", dim=64, in_channels=6, act="elu", norm="group"
    ),
    discriminator_epochs=701,
    discriminator_batch=128,
    discriminator_rate=5e-5,
    rate_steps=((200, 0.2), (500, 0.01)),
    pool=10_000,
    neighbours=4,
    semantic_share=4 / 128,
)
SEMSAD_SMALL = SemSADSettings(
    encoder=ResNetSpec(layers=(1, 1, 1, 1), channels=(32, 64, 128, 256), stem="5x5", dim=64),
    source_size=32,
    epochs=20,
    batch=128,
    learning_rate=1e-3,
    weight_decay=1e-6,
    temperature=0.5,
    discriminator=ResNetSpec(
        layers=(1, 1, 1, 1), channels=(32, 64, 128, 256), stem="5x5", dim=8, in_channels=6, act="elu", norm="group"
    ),
    discriminator_epochs=20,
    discriminator_batch=64,
    discriminator_rate=1e-3,
    rate_steps=((15, 0.2),),
    pool=None,
    neighbours=4,
    semantic_share=0.25,
    shift="rotate",
    patience=5,
)
PRESETS: dict[str, dict[str, Settings]] = {
    "selfdistill": {"paper": SELFDISTILL_PAPER, "small": SELFDISTILL_SMALL},
    "semsad": {"paper": SEMSAD_PAPER, "small": SEMSAD_SMALL},
}


def preset(method: str, name: str) -> Settings:
    """The settings of a method by the preset's name.

    Raises:
        UnknownName: no such method or preset.
    """
    if method not in PRESETS:
        raise unknown_name("method to train", method, PRESETS, "oodkit train --help")
    if name not in PRESETS[method]:
        raise unknown_name("preset", name, PRESETS[method], "oodkit train --help")
    return PRESETS[method][name]
