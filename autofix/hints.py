"""What a compiled model says about the data it expects: names, shapes, heads and losses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OutputHint:
    """One output of the model.

    Attributes:
        name: Name of the output.
        shape: Shape of one example's output, without the batch axis; None where it is free.
        activation: Keras name of the head's activation, such as `"softmax"`.
        loss: Keras snake_case name of the loss, such as `"mean_squared_error"`, or `"custom"`.
        accuracy: Whether an accuracy-like metric is compiled.
    """

    name: str
    shape: tuple[int | None, ...]
    activation: str
    loss: str
    accuracy: bool

    @property
    def units(self) -> int | None:
        """Length of the last axis; 1 for a scalar output, None where it is free."""
        return self.shape[-1] if self.shape else 1

    @property
    def loss_of_classes(self) -> bool:
        """Whether the loss is a cross-entropy or a hinge."""
        return "crossentropy" in self.loss or "hinge" in self.loss


@dataclass(frozen=True)
class ModelHints:
    """All inputs and outputs of the model, in its own order.

    Attributes:
        inputs: Names of the inputs; empty where the model does not know them (not built yet).
        input_shapes: Shapes of one example per input, without the batch axis; empty where unknown.
        outputs: One hint per output.
    """

    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int | None, ...], ...]
    outputs: tuple[OutputHint, ...]
