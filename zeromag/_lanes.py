"""Sixteen channels at a time: what kernels are written with where the loop over channels decides the speed.

A `Lanes` is sixteen (or eight, a half) neighbouring float64 that stay in the processor's vector registers: four of
AVX2, two of AVX-512, eight of NEON. Left to itself the compiler keeps a filter's state in memory and asks in every
inner loop whether arrays overlap. `fma` rounds once, and nothing else is fused or reordered: vectors and single
numbers, whole blocks and parts of them give the same bits.

An index counts elements of the whole array, row behind row; to keep it inside is the kernel's part. Python cannot call
these.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

from zeromag._jit import BOOL, F64

LANES = 16
Lanes: TypeAlias = F64  # to type checkers, which then know its + - *
_WORD, _DOUBLE = ir.IntType(32), ir.DoubleType()


class _Vector(types.Type):
    """So many float64, to numba."""

    def __init__(self, width: int) -> None:
        super().__init__(f"Lanes{width}")
        self.width = width
        self.code = ir.VectorType(_DOUBLE, width)


class _Model(models.PrimitiveModel):
    """So many float64, to LLVM."""

    def __init__(self, manager: Any, kind: _Vector) -> None:
        super().__init__(manager, kind, kind.code)  # type: ignore[no-untyped-call]  # numba's


register_model(_Vector)(_Model)
_FULL, _HALF = _Vector(LANES), _Vector(LANES // 2)


def _start(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Return the address of element `values[1]` of the array `values[0]`."""
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return builder.gep(array.data, [values[1]])


def _place(context: Any, builder: Any, signature: Any, values: Any, vector: _Vector) -> Any:
    """Return the same as that of a vector."""
    return builder.bitcast(_start(context, builder, signature, values), vector.code.as_pointer())


def _element(_typing: Any, array: Any, _index: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_start(context, builder, signature, values))

    return types.float64(array, types.intp), emit


def _loader(vector: _Vector) -> Any:
    def typed(_typing: Any, array: Any, _index: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.load(_place(context, builder, signature, values, vector), align=8)

        return vector(array, types.intp), emit

    return intrinsic(typed)


def _splatter(vector: _Vector) -> Any:
    def typed(_typing: Any, _value: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            empty = ir.Constant(vector.code, ir.Undefined)
            single = builder.insert_element(empty, values[0], ir.Constant(_WORD, 0))
            return builder.shuffle_vector(single, empty, ir.Constant(ir.VectorType(_WORD, vector.width), None))

        return vector(types.float64), emit

    return intrinsic(typed)


def _storer(_typing: Any, array: Any, _index: Any, lanes: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature, values, signature.args[2]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), emit


def _call(name: str, builder: Any, values: Any) -> Any:
    """Call an LLVM operation on vectors of one type."""
    code = values[0].type
    kind = ir.FunctionType(code, [code] * len(values))
    known = f"{name}.v{code.count}f64"
    return builder.call(builder.module.globals.get(known) or ir.Function(builder.module, kind, known), values)


def _one(emit: Callable[[Any, Any], Any]) -> Any:
    def typed(_typing: Any, a: Any) -> Any:
        return a(a), lambda _context, builder, _signature, values: emit(builder, values)

    return intrinsic(typed)


def _two(emit: Callable[[Any, Any], Any]) -> Any:
    def typed(_typing: Any, a: Any, _b: Any) -> Any:
        return a(a, a), lambda _context, builder, _signature, values: emit(builder, values)

    return intrinsic(typed)


def _three(emit: Callable[[Any, Any], Any]) -> Any:
    def typed(_typing: Any, a: Any, _b: Any, _c: Any) -> Any:
        return a(a, a, a), lambda _context, builder, _signature, values: emit(builder, values)

    return intrinsic(typed)


def _above_zero(builder: Any, values: Any) -> Any:
    zero = ir.Constant(values[0].type, [0.0] * values[0].type.count)
    return builder.select(builder.fcmp_ordered(">", values[0], zero), values[1], values[2])


def _has_nan(_typing: Any, lanes: Any) -> Any:
    def emit(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        unordered = builder.fcmp_unordered("uno", values[0], values[0])
        bits = builder.bitcast(unordered, ir.IntType(lanes.width))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(lanes), emit


def _any_true(_typing: Any, array: Any, _index: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        whole = ir.IntType(8 * LANES)
        start = builder.bitcast(_start(context, builder, signature, values), whole.as_pointer())
        bytes_ = builder.load(start, align=1)
        return builder.icmp_unsigned("!=", bytes_, ir.Constant(whole, 0))

    return types.boolean(array, types.intp), emit


element = cast("Callable[[F64, int], float]", intrinsic(_element))
load = cast("Callable[[F64, int], Lanes]", _loader(_FULL))
load_half = cast("Callable[[F64, int], Lanes]", _loader(_HALF))
store = cast("Callable[[F64, int, Lanes], None]", intrinsic(_storer))
splat = cast("Callable[[float], Lanes]", _splatter(_FULL))  # the same number in every lane
splat_half = cast("Callable[[float], Lanes]", _splatter(_HALF))
fma = cast("Callable[[Lanes, Lanes, Lanes], Lanes]", _three(lambda b, v: _call("llvm.fma", b, v)))  # a·b + c
size = cast("Callable[[Lanes], Lanes]", _one(lambda b, v: _call("llvm.fabs", b, v)))
smaller = cast(
    "Callable[[Lanes, Lanes], Lanes]", _two(lambda b, v: b.select(b.fcmp_ordered("<", v[0], v[1]), v[0], v[1]))
)
larger = cast(
    "Callable[[Lanes, Lanes], Lanes]", _two(lambda b, v: b.select(b.fcmp_ordered(">", v[0], v[1]), v[0], v[1]))
)
above_zero = cast("Callable[[Lanes, Lanes, Lanes], Lanes]", _three(_above_zero))  # b where a > 0, else c
if_nan = cast(
    "Callable[[Lanes, Lanes], Lanes]", _two(lambda b, v: b.select(b.fcmp_unordered("uno", v[0], v[0]), v[1], v[0]))
)
has_nan = cast("Callable[[Lanes], bool]", intrinsic(_has_nan))
any_true = cast("Callable[[BOOL, int], bool]", intrinsic(_any_true))  # among sixteen neighbours
_ARITHMETIC = {
    operator.add: _two(lambda b, v: b.fadd(*v)),
    operator.sub: _two(lambda b, v: b.fsub(*v)),
    operator.mul: _two(lambda b, v: b.fmul(*v)),
}


def _written(sign: Callable[[Any, Any], Any], lowered: Any) -> None:
    """Let kernels write `a + b` with lanes."""
    overload(sign)(
        lambda a, b: (lambda a, b: lowered(a, b)) if isinstance(a, _Vector) and a == b else None  # noqa: PLW0108
    )


for _sign, _lowered in _ARITHMETIC.items():
    _written(_sign, _lowered)
