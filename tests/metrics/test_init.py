"""The package as a whole."""

import subprocess
import sys

import oodkit.metrics


def test_metrics_need_neither_torch_nor_scipy_nor_scikit_learn() -> None:
    """Importing and computing with arrays loads NumPy only."""
    program = (
        "import sys, oodkit.metrics as m\n"
        "m.summarise([1.0, 2.0, 3.0], [0.0, 2.0])\n"
        "print([name for name in ('torch', 'scipy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_exported_name_is_public_and_documented() -> None:
    """What `__all__` names is there, is not a submodule, and has a docstring."""
    for name in oodkit.metrics.__all__:
        member = getattr(oodkit.metrics, name)
        assert callable(member)
        assert member.__doc__
