"""Bit operations that numba does not offer by itself: one machine instruction each."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_FALSE = ir.Constant(ir.IntType(1), 0)


def _trailing_zeros(typing_context, value):
    """Number of zero bits below the lowest set bit of a uint64 (64 for 0)."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], _FALSE)

    return types.uint64(types.uint64), generate


def _leading_zeros(typing_context, value):
    """Number of zero bits above the highest set bit of a uint64 (64 for 0)."""

    def generate(context, builder, signature, arguments):
        return builder.ctlz(arguments[0], _FALSE)

    return types.uint64(types.uint64), generate


def _count_ones(typing_context, value):
    """Number of set bits of a uint64."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


# typed as Any: numba supplies the first argument when a kernel calls them
trailing_zeros: Any = intrinsic(_trailing_zeros)
leading_zeros: Any = intrinsic(_leading_zeros)
count_ones: Any = intrinsic(_count_ones)
