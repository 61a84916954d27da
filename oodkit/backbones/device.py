"""Which device runs a backbone."""

import torch

from oodkit.errors import DeviceUnavailable


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name; "auto" takes a GPU where there is one.

    Args:
        name: "auto", "cpu", "cuda", "cuda:1", "mps".

    Raises:
        DeviceUnavailable: the device is not there, or is no device name.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceUnavailable(f"no device named {name!r}; use auto, cpu, cuda, cuda:N or mps") from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise DeviceUnavailable(
                f"device {name!r} was asked for, but torch sees {count} CUDA devices; use --device cpu or auto"
            )
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceUnavailable("device 'mps' was asked for, but torch sees none; use --device cpu or auto")
    elif device.type not in ("cpu", "cuda", "mps"):
        raise DeviceUnavailable(f"device {name!r} is not supported; use auto, cpu, cuda, cuda:N or mps")
    return device
