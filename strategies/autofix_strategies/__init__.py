"""The built-in strategies. `ALL` lists them in the order in which their patches are composed."""

from __future__ import annotations

from autofix.strategy import Strategy
from autofix_strategies.activation import Activation
from autofix_strategies.batch_size import BatchSize
from autofix_strategies.capacity import Capacity
from autofix_strategies.class_weight import ClassWeight
from autofix_strategies.epochs import Epochs
from autofix_strategies.gradient_clipping import GradientClipping
from autofix_strategies.initializer import Initializer
from autofix_strategies.input_scaling import InputScaling
from autofix_strategies.input_shape import InputShape
from autofix_strategies.learning_rate import LearningRate
from autofix_strategies.loss import Loss
from autofix_strategies.missing_values import MissingValues
from autofix_strategies.normalization import Normalization
from autofix_strategies.optimizer import Optimizer
from autofix_strategies.output_layer import OutputLayer
from autofix_strategies.regularization import Regularization
from autofix_strategies.shuffle import Shuffle
from autofix_strategies.target_scaling import TargetScaling
from autofix_strategies.targets import Targets
from autofix_strategies.trainable import Trainable

# Structure before values, what the data asks for before what training asks for; the learning rate after all that
# changes the gradients it has to fit.
ALL: tuple[Strategy, ...] = (
    InputShape(),
    Targets(),
    OutputLayer(),
    Loss(),
    TargetScaling(),
    MissingValues(),
    InputScaling(),
    Trainable(),
    Capacity(),
    Activation(),
    Initializer(),
    Normalization(),
    Regularization(),
    ClassWeight(),
    Optimizer(),
    LearningRate(),
    GradientClipping(),
    BatchSize(),
    Shuffle(),
    Epochs(),
)
