"""Running a backbone through torch.compile."""

from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from oodkit.errors import InvalidInput


class CompiledModule:
    """A frozen module that is compiled when it is first called: once, whichever thread comes first.

    The weights become constants of the compiled code, so they must not change afterwards. On a CPU it computes with
    the threads of torch's own kernels and starts none, so that several threads may run it side by side.

    Args:
        module: in evaluation mode, on its device.
        device: that device.
    """

    def __init__(self, module: nn.Module, device: torch.device) -> None:
        options: dict[str, Any] = {"freezing": True}
        if device.type == "cpu":
            options["cpp.threads"] = 1
        self._module = torch.compile(module, options=options)
        self._first = Lock()
        self._is_compiled = False

    def __call__(self, pixels: Tensor) -> Tensor:
        """What the module gives.

        Raises:
            InvalidInput: it cannot be compiled here, as without a C++ compiler.
        """
        if self._is_compiled:
            return self._module(pixels)  # type: ignore[no-any-return]
        with self._first:  # threads that all met it uncompiled would each compile it
            features = self._compile_and_run(pixels)
        self._is_compiled = True
        return features

    def _compile_and_run(self, pixels: Tensor) -> Tensor:
        from torch._dynamo.exc import BackendCompilerFailed

        try:
            return self._module(pixels)  # type: ignore[no-any-return]
        except BackendCompilerFailed as error:
            cause = error.inner_exception
            reason = f"{type(cause).__name__}: {str(cause).strip()}".partition("\n")[0]
            raise InvalidInput(
                f"the backbone cannot be compiled here ({reason}); on a CPU this needs g++ or the compiler that $CXX "
                "names: install one, or go without --compile"
            ) from error
