"""Does every row of the vocabulary mean the same in NumPy, with error bounds, in PyTorch and in JAX?

One sample call a row; a row without a sample fails, so that a new row brings one. Each call is made at one point and
at a batch of points (vmap), as the witnesses make it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY, Batch, Batched
from gradcheck.oracles.rounding.running import BOUNDED, Bounded, exact

X = np.array([0.3, -0.7, 1.9])
Y = np.array([1.5, 0.4, -0.8])
P = np.array([0.4, 1.1, 2.7])  # positive
U = np.array([0.2, 0.55, 0.9])  # inside (0, 1)
G = P + 1.0
M = np.array([[2.0, 0.3, -0.4], [0.1, 1.7, 0.6], [-0.5, 0.2, 3.1]])
N = np.array([[1.0, -2.0], [0.5, 0.25], [3.0, 1.0]])
T = np.array([[0.5, 2.0, 2.0], [1.0, -1.0, 0.25]])

Sample = tuple[list[Any], dict[str, Any]]

SAMPLES: dict[str, list[Sample]] = {
    **{name: [([X], {})] for name in "negative positive abs square sign floor ceil round trunc relu exp exp2 expm1 "
       "sin cos tan atan sinh cosh tanh asinh cbrt erf erfc erfcx expit ndtr log_ndtr softplus sinc silu "
       "isfinite isnan stop_gradient logical_not".split()},
    **{name: [([P], {})] for name in "reciprocal sqrt log log1p log2 log10 gammaln digamma".split()},
    **{name: [([U], {})] for name in "asin acos atanh erfinv logit".split()},
    "acosh": [([G], {})],
    **{name: [([X, Y], {}), ([N, np.array([0.5, -1.5])], {}), ([X, 0.75], {})] for name in "add subtract multiply "
       "divide remainder floor_divide copysign hypot maximum minimum logaddexp atan2 equal not_equal less "
       "less_equal greater greater_equal logical_and logical_or".split()},
    "pow": [([P, Y], {}), ([X, 3], {}), ([X, 2], {}), ([2.0, Y], {})],
    "clip": [([X, -0.5, 1.0], {})],
    "where": [([X > 0, X, Y], {}), ([X > 0, 1.0, Y], {})],
    "polygamma": [([1, P], {}), ([3, P], {})],
    "xlogy": [([Y, P], {}), ([np.zeros(3), np.array([0.0, 1.0, 2.0])], {})],
    "xlog1py": [([Y, U], {})],
    **{name: [([N], {}), ([N], {"axis": 0}), ([N], {"axis": (0, 1)}), ([N], {"axis": -1, "keepdims": True}), ([X], {})]
       for name in "sum mean max min prod norm logsumexp var std".split()},
    **{name: [([N > 0.3], {}), ([N > 0.3], {"axis": 1}), ([N > -9], {"axis": 0, "keepdims": True})]
       for name in ("any", "all")},
    **{name: [([X], {}), ([N], {"axis": 0}), ([N], {"axis": 1, "keepdims": True})] for name in ("argmax", "argmin")},
    **{name: [([X], {}), ([N], {"axis": 0})] for name in ("cumulative_sum", "cumulative_prod")},
    **{name: [([X], {}), ([N], {}), ([N], {"axis": 0}), ([np.stack([N, 2 * N])], {"axis": (0, 2)})]
       for name in ("softmax", "log_softmax")},
    "reshape": [([N], {"shape": (2, 3)}), ([N], {"shape": -1}), ([N], {"shape": (1, -1)})],
    "broadcast_to": [([X], {"shape": (2, 3)})],
    "expand_dims": [([N], {"axis": 1}), ([N], {"axis": -1})],
    "squeeze": [([N[None]], {"axis": 0}), ([N[:1, :1]], {})],
    "flip": [([N], {}), ([N], {"axis": 0})],
    "roll": [([X], {"shift": 1}), ([N], {"shift": 1}), ([N], {"shift": -4, "axis": (0,)}),
             ([N], {"shift": 1, "axis": (0, 1)}),
             ([N], {"shift": 1, "axis": 0}), ([N], {"shift": (1, 1), "axis": (0, 1)})],
    "permute_dims": [([N], {}), ([np.stack([N, N])], {"axes": (2, 0, 1)})],
    "getitem": [([N], {"index": (0,)}), ([N], {"index": (slice(None, None, -1), 1)}), ([X], {"index": (None, -1)}),
                ([N], {"index": (Ellipsis, slice(0, 1))}), ([X], {"index": (slice(2, None, -2),)})],
    "scatter": [([X], {"index": (slice(None), 1), "shape": (3, 2)}),
                ([X], {"index": (np.array([0, 0, 1]),), "shape": (4,)})],
    "take": [([X, (2, 0, 0)], {}), ([N, (1, -1)], {"axis": 0}), ([N, np.array([[2, 0], [-1, 0]])], {"axis": 0}),
             ([T, np.array([2, 0, -1, 0])], {"axis": -1})],
    "repeat": [([X], {"repeats": 2}), ([N], {"repeats": 3, "axis": 0}), ([N], {"repeats": 2}),
               ([X], {"repeats": (0, 3, 1)}), ([N], {"repeats": (2, 1), "axis": 1}),
               ([N], {"repeats": (2, 0, 1, 1, 0, 3)})],
    "concat": [([[X, Y]], {}), ([[N, N]], {"axis": 1})],
    "stack": [([[X, Y]], {}), ([[X, Y]], {"axis": -1})],
    "zeros": [([], {"shape": (2, 3)})],
    "ones": [([], {"shape": (2,)})],
    "eye": [([], {"n_rows": 3}), ([], {"n_rows": 2, "n_cols": 3})],
    "arange": [([], {"start": 4}), ([], {"start": 1, "stop": 7, "step": 2})],
    **{name: [([X, Y], {}), ([T, X], {})] for name in ("dot", "vecdot")},
    "matmul": [([N.T, M], {}), ([M, X], {}), ([X, M], {}), ([X, Y], {})],
    "outer": [([X, np.array([1.0, -2.0])], {})],
    "matrix_transpose": [([N], {})],
    "trace": [([M], {})],
    "diagonal": [([M], {}), ([N], {"offset": -1})],
    "diag": [([X], {})],
    "tril": [([M], {}), ([N], {"k": -1})],
    "triu": [([M], {}), ([N], {"k": 1})],
    "det": [([M], {})],
    "inv": [([M], {})],
    "solve": [([M, X], {}), ([M, N], {})],
}  # fmt: skip
SAMPLES |= {
    **{name: [([X], {})] for name in ("conj", "real", "imag", "angle")},
    **{name: [([X], {}), ([N], {"axis": 0}), ([N], {"n": 5, "axis": 0}), ([X], {"n": 2, "norm": "ortho"})]
       for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
    **{name: [([N], {}), ([N], {"axes": (0,)}), ([np.stack([N, 2 * N])], {"s": (4, 3), "axes": (0, 2)})]
       for name in ("fftn", "ifftn", "rfftn", "irfftn")},
    **{name: [([X], {}), ([N], {}), ([N], {"axes": (0,)})] for name in ("fftshift", "ifftshift")},
}  # fmt: skip
SAMPLES["norm"] += [([N], {"ord": 1}), ([N], {"ord": np.inf, "axis": 0}), ([N], {"ord": np.inf})]
SAMPLES["var"] += [([X], {"correction": 1})]
SAMPLES["std"] += [([N], {"axis": 0, "correction": 1})]
SAMPLES["floor_divide"][0] = ([X, np.array([0.2, 0.3, -0.7])], {})

J = np.array([[2, 0, 1], [-1, -1, 0]])  # whole numbers that point at elements, some of them twice
W = np.array([6, 3, 1])
TIED = np.array([[2.0, 1.0, 2.0, 0.5], [0.0, -1.0, -1.0, 3.0]])
SAMPLES |= {
    "take_along_axis": [([T, J], {}), ([X, np.array([1, 1, -1, 0])], {}), ([N, np.array([[0, -1]])], {"axis": 0}),
                        ([T, np.array([[0]])], {"axis": -1})],
    "scatter_along_axis": [([T, J], {"size": 4}), ([X, np.array([1, 1, 0])], {"size": 2}),
                           ([N, np.array([[0, 1], [0, 1], [2, 1]])], {"size": 3, "axis": 0})],
    "scatter_add": [([T, J, T * T], {}), ([X, np.array([1, -1, 1, 1]), np.arange(4.0)], {}),
                    ([N, np.array([[0, 1], [0, 1]]), N[1:]], {"axis": 0})],
    "index_add": [([N, np.array([2, 0, 2, -1]), np.arange(8.0).reshape(4, 2)], {}),
                  ([T, np.array([1, 1]), N[:2]], {"axis": 1})],
    **{name: [([X], {}), ([TIED], {}), ([TIED], {"axis": 0}), ([TIED], {"descending": True})]
       for name in ("sort", "argsort")},
    **{name: [([X], {"k": 2}), ([N], {"k": 1, "axis": 0}), ([TIED], {"k": 4})] for name in ("top_k", "top_k_indices")},
    "quantile": [([X], {"q": 0.3}), ([N], {"q": 0.0}), ([N], {"q": 0.75, "axis": 0, "keepdims": True}),
                 ([np.stack([N, 2 * N])], {"q": 0.4, "axis": (0, 2)}), ([N], {"q": (0.1, 0.5, 1.0), "axis": 1})],
    "median": [([X], {}), ([N], {}), ([N], {"axis": 0}), ([T], {"axis": -1, "keepdims": True})],
    "searchsorted": [([P, np.array([0.4, 1.0, 3.0, 1.1])], {}), ([P, np.array([[0.4], [1.1]])], {"side": "right"}),
                     ([np.array([2.0, 0.5]), np.array(1.0)], {"sorter": (1, 0)})],
    **{name: [([X], {}), ([TIED], {"axis": 0}), ([TIED], {"axis": -1})]
       for name in ("cumulative_max", "cumulative_min", "cumulative_logsumexp")},
    "tile": [([X], {"repetitions": 2}), ([N], {"repetitions": (2, 1, 3)}), ([N], {"repetitions": 2})],
    "unstack": [([N], {}), ([N], {"axis": -1})],
    "moveaxis": [([np.stack([N, N])], {"source": 0, "destination": -1}),
                 ([np.stack([N, N])], {"source": (0, 1), "destination": (2, 0)})],
    "swapaxes": [([np.stack([N, N])], {"axis1": 0, "axis2": 2})],
    "rot90": [([N], {"k": k}) for k in range(4)] + [([np.stack([N, N])], {"k": -1, "axes": (2, 0)})],
    "hstack": [([[X, Y]], {}), ([[N, N]], {})],
    "vstack": [([[X, Y]], {}), ([[N, N]], {})],
    "meshgrid": [([[X, U]], {}), ([[X, np.array([1.0, 2.0])]], {"indexing": "ij"}), ([[X, U, P[:2]]], {})],
    "broadcast_arrays": [([[X, N[:, :1]]], {}), ([[X, np.array(2.0)]], {})],
    "pad": [([X], {"pad_width": 1}), ([N], {"pad_width": ((0, 2), (1, 0)), "constant_values": 0.5}),
            *[([N], {"pad_width": ((2, 0), (1, 1)), "mode": mode})
              for mode in ("reflect", "symmetric", "edge", "wrap")]],
    "diff": [([X], {}), ([N], {"axis": 0, "n": 2}), ([X], {"prepend": 0.5, "append": 2.0}), ([X], {"n": 0}),
             ([X], {"n": 5})],
    "trapezoid": [([X], {}), ([N], {"axis": 0, "dx": 0.5}), ([T], {"x": P})],
    "einsum": [([[M, N]], {"subscripts": "ij,jk->ik"}), ([[M]], {"subscripts": "ii"}), ([[M]], {"subscripts": "ii->i"}),
               ([[M]], {"subscripts": "ij->ji"}), ([[X, Y]], {"subscripts": "i,j"}),
               ([[X, Y]], {"subscripts": "i,i->"}),
               ([[N, X, np.array([1.0, -2.0])]], {"subscripts": "ij,i,j"}),
               ([[np.stack([M, M]), np.stack([N, 2 * N])]], {"subscripts": "...ij,...jk->...ik"}),
               ([[M, M, M]], {"subscripts": "ij,jk,kl->il"}), ([[N]], {"subscripts": "ij->"}),
               ([[np.stack([M, M]), N]], {"subscripts": "bij,jk->kib"}), ([[N[:1], N]], {"subscripts": "ij,ij->i"})],
    "full": [([], {"shape": (2,), "fill_value": 0.3})],
    "linspace": [([], {"start": 0.0, "stop": 1.0, "num": 5}),
                 ([], {"start": 2.0, "stop": -1.0, "num": 4, "endpoint": False})],
    "full_like": [([N], {"fill_value": 0.3})],
    **{name: [([N], {})] for name in ("zeros_like", "ones_like", "empty_like")},
    "empty": [([], {"shape": (2, 3)})],
    "tri": [([], {"n_rows": 3}), ([], {"n_rows": 2, "n_cols": 3, "k": -1})],
    "fmod": [([X, Y], {}), ([np.array([5.5, -5.5, 1.0]), 2.0], {})],
    **{name: [([X], {})] for name in ("deg2rad", "rad2deg", "signbit", "isinf")},
    "ldexp": [([X, W], {}), ([X, -2.0], {})],
    "nextafter": [([X, Y], {}), ([X, 9.0], {})],
    "logical_xor": [([X, np.array([0.0, 0.0, 2.0])], {}), ([X, 0.0], {})],
    **{f"bitwise_{name}": [([W, np.array([3, 5, 1])], {})]
       for name in ("and", "or", "xor", "left_shift", "right_shift")},
    "bitwise_invert": [([W], {})],
    "count_nonzero": [([N], {}), ([N * (N > 0.3)], {"axis": 0}), ([N], {"axis": 1, "keepdims": True})],
}  # fmt: skip
for _name in ("cumulative_sum", "cumulative_prod"):
    SAMPLES[_name] += [([X], {"include_initial": True}), ([N], {"axis": 0, "include_initial": True})]
for _name in ("argmax", "argmin"):
    SAMPLES[_name] += [([N], {}), ([N], {"keepdims": True})]
SAMPLES["getitem"] += [
    ([N], {"index": (np.array([2, 0, 2, -1]),)}),
    ([N], {"index": (slice(1, None), np.array([1, 1]))}),
]

WHOLE = {"inv", "solve", "det"} | {name for name in SAMPLES if "fft" in name}  # right as a whole: by its largest number
IMAGES = np.cos(np.arange(2 * 2 * 5 * 4)).reshape(2, 2, 5, 4)  # examples, channels, height, width
SIGNALS = np.sin(np.arange(2 * 4 * 7)).reshape(2, 4, 7)
KERNEL, FRAME = np.cos(np.arange(4 * 2 * 3)).reshape(4, 2, 3), np.sin(np.arange(3 * 2 * 2 * 3)).reshape(3, 2, 2, 3)
Q, K, V = np.cos(np.arange(6)).reshape(2, 3), np.sin(np.arange(12)).reshape(4, 3), np.cos(np.arange(8)).reshape(4, 2)
SEEN = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0]])
W3, B3 = np.array([0.5, -1.2, 2.0]), np.array([0.1, 0.2, -0.3])
SAMPLES |= {
    **{name: [([X], {}), ([4 * N], {})]
       for name in "selu mish relu6 hard_sigmoid hard_swish softsign tanhshrink".split()},
    **{name: [([X], {}), ([N], {})] for name in ("gelu", "gelu_tanh")},  # both libraries lose digits further left
    "leaky_relu": [([X], {}), ([X], {"negative_slope": 0.2})],
    "elu": [([X], {}), ([X], {"alpha": 0.7})],
    "celu": [([X], {}), ([X], {"alpha": 0.7})],
    "hardtanh": [([X], {}), ([4 * N], {"min_val": -2.0, "max_val": 0.5})],
    "softshrink": [([X], {}), ([N], {"lambd": 0.4})],
    "hardshrink": [([X], {}), ([N], {"lambd": 0.4})],
    "glu": [([N], {}), ([M[:2]], {"axis": 0})],
    "standardize": [([M], {}), ([N], {"axis": 0}), ([SIGNALS], {"axis": (0, 2), "eps": 0.1})],
    "rms_normalize": [([M], {}), ([N], {"axis": 0}), ([SIGNALS], {"axis": (0, 2), "eps": 0.1})],
    "layer_norm": [([M], {}), ([M], {"weight": W3, "bias": B3}), ([N], {"axis": 0, "eps": 0.1})],
    "rms_norm": [([M], {}), ([M], {"weight": W3}), ([N], {"axis": 0, "eps": 0.1})],
    "batch_norm": [([M], {}), ([M], {"weight": W3, "bias": B3}), ([SIGNALS], {})],
    "group_norm": [([SIGNALS], {"groups": 2}), ([IMAGES], {"groups": 1, "weight": W3[:2], "bias": B3[1:]})],
    "instance_norm": [([SIGNALS], {}), ([IMAGES], {"weight": W3[:2], "bias": B3[:2]})],
    "zero_pad": [([X], {"before": 1, "after": 2}), ([N], {"before": 0, "after": 1, "axis": 0})],
    "sliding_windows": [([P], {"size": 2}), ([SIGNALS], {"size": 2, "axis": 1}),
                        ([SIGNALS], {"size": 3, "stride": 2, "dilation": 2})],
    "overlap_add": [([N], {"length": 4}), ([SIGNALS], {"length": 11, "axis": 0, "stride": 3, "dilation": 1}),
                    ([SIGNALS[0][:, :3]], {"length": 11, "stride": 2, "dilation": 2})],
    "conv1d": [([SIGNALS, np.concatenate([KERNEL, KERNEL], 1)], {}), ([SIGNALS[0], KERNEL], {"groups": 2}),
               ([SIGNALS, KERNEL], {"bias": SEEN[0], "stride": 2, "padding": 1, "dilation": 2, "groups": 2})],
    "conv2d": [([IMAGES, FRAME], {}), ([IMAGES[0], FRAME], {"bias": W3, "stride": (2, 1), "padding": (1, 0)}),
               ([IMAGES, FRAME[:2, :1]], {"groups": 2, "padding": 1, "dilation": (1, 2)})],
    "max_pool1d": [([SIGNALS], {"size": 2}), ([X], {"size": 2, "stride": 1, "padding": 1}),
                   ([SIGNALS], {"size": 2, "dilation": 3})],
    "max_pool2d": [([IMAGES], {"size": 2}), ([IMAGES[0, 0]], {"size": (3, 2), "stride": 1, "padding": 1}),
                   ([IMAGES], {"size": 2, "stride": (2, 1), "padding": (1, 0), "dilation": (1, 3)})],
    "avg_pool1d": [([SIGNALS], {"size": 2}), ([X], {"size": 2, "stride": 1, "padding": 1})],
    "avg_pool2d": [([IMAGES], {"size": 2}), ([IMAGES[0, 0]], {"size": (3, 2), "stride": 1, "padding": 1})],
    "sigmoid_cross_entropy": [([X, U], {}), ([5 * X, np.array([0.0, 1.0, 0.0])], {})],
    **{name: [([X, U], {}), ([N, U[:2]], {"reduction": "none"}), ([X, U], {"reduction": "sum"})]
       for name in "binary_cross_entropy_with_logits mse_loss l1_loss huber_loss smooth_l1_loss kl_div".split()},
    "binary_cross_entropy": [([U, P / 3], {}), ([U, P / 3], {"reduction": "none"})],
    "cross_entropy": [([X, U], {}), ([M, np.array([0.0, 2.0, 1.0])], {}), ([N, (1, 0, 1)], {"reduction": "sum"}),
                      ([M, M * M], {"reduction": "none", "axis": 0})],
    "nll_loss": [([-P, np.array(1.0)], {}), ([-N, (0, 2)], {"axis": 0, "reduction": "none"})],
    "cosine_similarity": [([X, Y], {}), ([T, M[:2]], {"axis": 0}), ([X, Y], {"eps": 5.0})],
    "linear": [([X, M[:2]], {}), ([M, M[:2]], {"bias": Y[:2]})],
    "embedding": [([N], {"indices": (2, 0, 2)}), ([N], {"indices": np.array([[0, 1], [1, 1]])})],
    "attention": [([Q, K, V], {}), ([Q, K, V], {"mask": SEEN, "scale": 0.4}), ([Q, K, V], {"bias": SEEN})],
}  # fmt: skip
SAMPLES["huber_loss"] += [([4 * X, Y], {"delta": 0.3})]
SAMPLES["smooth_l1_loss"] += [([4 * X, Y], {"beta": 0.3}), ([4 * X, Y], {"beta": 0})]
SAMPLES["kl_div"] += [([X, Y], {"log_target": True}), ([N, T.T * T.T], {"reduction": "batchmean"})]
SPD = M @ M.T + np.eye(3)  # positive definite
LOWER = np.linalg.cholesky(SPD)
WIDE = N.T.copy()
SAMPLES |= {
    **{name: [([SPD], {}), ([np.stack([SPD, 2 * SPD])], {})] for name in ("cholesky", "logdet")},
    **{name: [([SPD], {}), ([M], {}), ([np.stack([SPD, SPD[::-1, ::-1]])], {})]
       for name in ("eigvalsh", "eigh_vectors")},
    **{name: [([N], {}), ([WIDE], {}), ([M], {}), ([np.stack([N, N[::-1]])], {})]
       for name in "svdvals svd_u svd_vh pinv".split()},
    **{name: [([M[:, :2]], {}), ([M[:2]], {}), ([M], {}), ([np.stack([M, M.T])[:, :, :2]], {})]
       for name in ("qr_q", "qr_r")},
    **{name: [([M], {}), ([-M], {}), ([np.stack([M, M.T])], {})]
       for name in "slogdet_sign logabsdet matrix_exp".split()},
    "solve_triangular": [([LOWER, X], {}), ([M, N], {}), ([M, N], {"upper": True}), ([M.T, X], {"upper": True})],
    "cholesky_solve": [([LOWER, X], {}), ([LOWER, N], {}), ([LOWER.T, N], {"upper": True})],
    "lstsq": [([M[:, :2], X], {}), ([M[:, :2], M], {}), ([M[:2], Y[:2]], {})],
    "matrix_power": [([M], {"n": n}) for n in (0, 1, 2, 5, -1, -3)],
    "vector_norm": [([X], {}), ([N], {"axis": 0}), ([N], {"axis": (0, 1), "keepdims": True}),
                    *(([N], {"axis": 1, "ord": p}) for p in (0, 0.5, 1, 2.5, 3, -1, -2, np.inf, -np.inf))],
    "matrix_norm": [([N], {}), ([N], {"keepdims": True}), ([M], {"ord": "nuc"}),
                    ([WIDE], {"ord": "nuc", "keepdims": True}),
                    *(([N], {"ord": p}) for p in (1, -1, 2, -2, np.inf, -np.inf))],
    "cond": [([M], {}), ([M], {"ord": 1}), ([M], {"ord": -2}), ([M], {"ord": "fro"}), ([M], {"ord": np.inf})],
    "cross": [([X, Y], {}), ([N, N[::-1].copy()], {"axis": 0})],
    "tensordot": [([M, N], {"axes": 1}), ([N, N], {"axes": 2}), ([M, N], {"axes": ((0,), (0,))})],
    "kron": [([M, N], {}), ([N, WIDE], {})],
}  # fmt: skip
SAMPLES |= {
    "eigh": [([SPD], {}), ([np.stack([SPD, SPD[::-1, ::-1]])], {})], "svd": [([M], {}), ([N], {}), ([WIDE], {})],
    "qr": [([M], {}), ([M[:, :2]], {}), ([M[:2]], {})], "slogdet": [([M], {}), ([np.stack([-M, M])], {})],
}  # fmt: skip
SAMPLES["cholesky"] += [([SPD], {"upper": True})]
WHOLE |= {  # of matrices too
    "cholesky", "eigvalsh", "eigh_vectors", "svdvals", "svd_u", "svd_vh", "qr_q", "qr_r", "pinv",
    "eigh", "svd", "qr", "slogdet", "logabsdet",
    "matrix_exp", "solve_triangular", "cholesky_solve", "lstsq", "matrix_power", "kron", "tensordot",
}  # fmt: skip

DIGITS = {  # units of roundoff allowed where a library is less exact than that
    ("torch", "polygamma"): 2e7,  # its trigamma keeps nine digits
    ("torch", "trigamma"): 2e7,
    ("jax", "gammaln"): 1e4,  # absolute near its zeros at 1 and 2
}
LACKING = {"jax": set[str](), "torch": set[str]()}  # rows that a library does not have
SAMPLES |= {
    **{name: [([P], {}), ([np.array([0.02, 5.5, 31.0])], {})] for name in "gamma trigamma exp1 y0 y1 k0 k1 k0e k1e "
       "log_expit entr".split()},
    **{name: [([X], {}), ([np.array([0.02, -5.5, 31.0])], {})] for name in "rgamma j0 j1 i0 i1 i0e i1e expi "
       "spherical_j0".split()},
    **{name: [([U], {}), ([np.array([1e-9, 0.3, 0.99])], {})] for name in ("ndtri", "erfcinv")},
    **{name: [([P, U], {}), ([P, 4.5], {}), ([5.0, U], {})] for name in "beta betaln rel_entr kl_terms gammainc "
       "gammaincc".split()},
    "binom": [([G + 1.0, P], {}), ([6.0, P], {})],
    "multigammaln": [([G], {"d": 2}), ([G + 1.0], {"d": 3})],
    "zeta": [([G, P], {}), ([2.0, P], {})],
    "betainc": [([P, G, U], {}), ([2.5, 1.5, U], {})],
    "expn": [([3, P], {}), ([1, P], {}), ([0, P], {})],
    "lambertw": [([P], {}), ([-0.36 * U], {"k": -1}), ([-0.36 * U], {})],
    **{name: [([2.0, P], {}), ([U, P], {})] for name in "jv yv iv kv ive kve".split()},
}  # fmt: skip
SAMPLES["log_expit"][1:] = [([np.array([31.0, 5.5, 0.02])], {}), ([np.array([31.0, 33.0])], {})]
LACKING["torch"] |= {
    "gamma", "rgamma", "betainc", "exp1", "expi", "expn", "lambertw", "j0", "j1", "y0", "y1", "k0", "k1", "k0e",
    "k1e", "jv", "yv", "iv", "kv", "ive", "kve",
}  # fmt: skip
LACKING["jax"] |= {
    "rgamma", "lambertw", "j0", "j1", "y0", "y1", "k0", "k1", "k0e", "k1e", "jv", "yv", "iv", "kv", "ive", "kve",
}  # fmt: skip

CALLS = [(name, k) for name, samples in SAMPLES.items() for k in range(len(samples))]


def test_every_row_has_a_sample_and_every_sample_a_row() -> None:
    assert set(SAMPLES) == set(VOCABULARY)


def _numbers(value: Any) -> np.ndarray:
    if isinstance(value, tuple | list):  # several results, one behind the other
        return np.concatenate([_numbers(v).ravel() for v in value])
    array = np.asarray(value.detach().resolve_conj() if hasattr(value, "detach") else value)
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    return np.asarray(array, dtype=float)


def _same(name: str, got: Any, want: np.ndarray, units: float = 64.0) -> None:
    got = _numbers(got)
    assert got.shape == want.shape, (name, got.shape, want.shape)
    size = np.maximum(np.abs(want), np.max(np.abs(want), initial=0.0) if name in WHOLE else 0.0)
    assert np.all(np.abs(got - want) <= units * 2.0**-53 * size), (name, got, want)


def _truth(name: str, args: list[Any], params: dict[str, Any]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return _numbers(getattr(NUMPY, name)(*args, **params))


def _mapped(function: Any, args: list[Any]) -> list[Any]:
    """Arrays changed by a function; plain numbers stay what they are."""
    change = lambda a: function(a) if isinstance(a, np.ndarray) else a  # noqa: E731
    return [[change(x) for x in a] if isinstance(a, list) else change(a) for a in args]


@pytest.mark.parametrize(("name", "k"), CALLS)
def test_error_bounds_carry_the_same_numbers(name: str, k: int) -> None:
    args, params = SAMPLES[name][k]
    want = _truth(name, args, params)
    params = {**VOCABULARY[name].defaults, **params}
    if name == "scatter":  # met by rules alone, behind the batch
        said = BOUNDED.scatter(exact(args[0]), **params)
        _same(name, said.value, want, units=0.0)
        return
    pair = _mapped(lambda a: Batched(a if a.dtype == bool else exact(np.stack([a, a]))), args)
    if name in ("any", "all"):
        pair = [Batched(np.stack([a, a])) for a in args]
    elif name == "where":
        pair[0] = Batched(np.stack([args[0], args[0]]))
    said = getattr(Batch(BOUNDED), name)(*pair, **params)
    if isinstance(said, tuple):
        parts = [part.data if isinstance(part, Batched) else part for part in said]
        assert all(np.all(part.err == 0) for part in parts if isinstance(part, Bounded)) or name in WHOLE
        _same(name, [part.value[1] if isinstance(part, Bounded) else part for part in parts], want, units=0.0)
        return
    data = said.data if isinstance(said, Batched) else said
    if isinstance(data, Bounded):
        assert data.err.shape == data.value.shape
        assert np.all(data.err >= 0)
        data = data.value
    _same(name, data[1] if isinstance(said, Batched) else data, want, units=8.0)


def _framework(library: str) -> Any:
    pytest.importorskip(library)
    module = __import__(f"gradcheck.oracles.{library}", fromlist=["FRAMEWORK"])
    return module.FRAMEWORK


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize(("name", "k"), CALLS)
def test_frameworks_give_the_same_numbers(library: str, name: str, k: int) -> None:
    args, params = SAMPLES[name][k]
    framework = _framework(library)
    want = _truth(name, args, params)
    if name in LACKING[library]:
        with pytest.raises(Unsupported, match=f"has no {name}"):
            getattr(framework.namespace, name)
        return
    call = getattr(framework.namespace, name)
    units = DIGITS.get((library, name), 64.0)
    moving: list[Any] = []
    _mapped(lambda a: moving.append(a), args)
    arrays = [a if a.dtype == bool else framework.array(a) for a in moving]

    def f(*arrays: Any) -> Any:
        rest = iter(arrays)
        return call(*_mapped(lambda a: next(rest), args), **params)

    if not moving or moving[0].dtype == bool:
        _same(name, f(*arrays), want, units)
        return
    vmapped = framework.vmapped(f, False)
    pairs = [framework.array(np.stack([a, a])) for a in moving]
    alone, pair = _in_haste(library, lambda one, two: (f(*one), vmapped(*two)), arrays, pairs)
    _same(name, alone, want, units)
    second = [part[1] for part in pair] if isinstance(pair, tuple | list) else pair[1]
    _same(name, second, want, units)


HASTY: dict[str, Any] = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def _in_haste(library: str, f: Any, *args: Any) -> Any:
    """f of the arguments; JAX's compiler, which takes most of the time, is called once and in haste."""
    if library != "jax":
        return f(*args)
    from gradcheck.oracles.with_jax.library import jax

    return jax.jit(f).lower(*args).compile(compiler_options=HASTY)(*args)
