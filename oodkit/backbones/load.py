"""From a name to a backbone."""

from oodkit.backbones import bundled
from oodkit.backbones.base import Backbone, Precision
from oodkit.backbones.listing import all_backbones
from oodkit.backbones.names import BackboneName
from oodkit.errors import InvalidInput, unknown_name


def load_backbone(
    name: str = bundled.NAME,
    *,
    image_size: int | None = None,
    device: str = "auto",
    precision: Precision = "fp32",
    compile: bool = False,
) -> Backbone:
    """A frozen backbone by name.

    Args:
        name: "efficientnet_lite0" (bundled), "timm:MODEL.TAG", "timm:MODEL/FILE", "open_clip:MODEL/TAG",
            "open_clip:MODEL/FILE", "module:FILE.py:FACTORY" or "trained:FOLDER". The family may be left out where only
            one has the model.
        image_size: side in pixels of the square input: the shorter side is resized to it (bicubic, antialiased) and
            the centre cropped. None takes the backbone's own evaluation preprocessing.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        precision: "fp32", "bf16" or "fp16": type of weights and activations.
        compile: run through torch.compile, for long runs.

    Raises:
        UnknownName: no such backbone; the message names the nearest.
        WeightsError: the weights do not fit the architecture.
        DownloadFailed: the weights could not be fetched.
        DeviceUnavailable: the device is not there.
    """
    parsed = BackboneName.parse(name)
    if str(parsed) == bundled.NAME:
        return bundled.load(image_size, device=device, precision=precision, compile=compile)
    family = parsed.family or _family_of(name, parsed)
    if family == "timm":
        from oodkit.backbones import timm_family

        network = timm_family.load_network(parsed.model, parsed.weights, image_size)
    elif family == "open_clip":
        from oodkit.backbones import open_clip_family

        network = open_clip_family.load_network(parsed.model, parsed.weights, image_size)
    elif family == "trained":
        from oodkit.backbones import trained_family

        network = trained_family.load_network(parsed.model, image_size)
    else:
        from oodkit.backbones import module_family

        network = module_family.load_network(parsed.model, image_size)
    full = str(BackboneName(family, parsed.model, parsed.weights))
    return Backbone.of(full, network, device=device, precision=precision, compile=compile, take=family != "module")


def _family_of(name: str, parsed: BackboneName) -> str:
    known = [BackboneName.parse(full) for full in all_backbones()]
    families = {
        full.family
        for full in known
        if full.family and (full.model == parsed.model or full.model.partition(".")[0] == parsed.model)
    }
    if not families:
        names = {str(full) for full in known} | {full.model for full in known}
        raise unknown_name("backbone", name, sorted(names), "oodkit list backbones")
    if len(families) > 1:
        choices = " or ".join(f"{family}:{name}" for family in sorted(families))
        raise InvalidInput(f"backbone {name!r} is in several families; write {choices}")
    return str(families.pop())
