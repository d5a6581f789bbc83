"""What both readers produce: a straight list of operations on NHWC tensors, with the weights inside."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = NDArray[np.float32]
Padding: TypeAlias = Literal["same", "valid"] | tuple[int, int, int, int]
"""As TensorFlow names it, or pixels at the top, left, bottom and right."""


@dataclass(frozen=True, slots=True, eq=False)
class Conv:
    """kernel: [height, width, in, out], or [height, width, in, 1] if each channel is convolved alone."""

    kernel: Weights
    bias: Weights | None
    stride: int
    padding: Padding
    depthwise: bool


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """kernel: [in, out]; bias: [out]."""

    kernel: Weights
    bias: Weights


@dataclass(frozen=True, slots=True, eq=False)
class PRelu:
    """slope: [channels], the factor below zero."""

    slope: Weights


@dataclass(frozen=True, slots=True)
class Relu:
    """Cut below zero, and above `limit` if there is one."""

    limit: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Multiply:
    """Times a constant per channel."""

    factor: Weights


@dataclass(frozen=True, slots=True, eq=False)
class Offset:
    """Plus a constant per channel."""

    value: Weights


@dataclass(frozen=True, slots=True)
class Pad:
    """Zeros before and after each of height, width and channels."""

    amounts: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pool:
    """The largest or the mean of each window."""

    kind: Literal["max", "mean"]
    size: int
    stride: int
    padding: Padding


@dataclass(frozen=True, slots=True)
class Plain:
    """An operation without parameters; `flatten` orders values as channels, height, width, `double` repeats pixels."""

    name: Literal["add", "double", "flatten", "global_mean", "sigmoid", "softmax"]


Operation: TypeAlias = Conv | Dense | PRelu | Relu | Multiply | Offset | Pad | Pool | Plain


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on named tensors."""

    operation: Operation
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A network: steps in an order in which they can run, outputs in the order of the result."""

    input: str
    shape: tuple[int, int, int]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
