"""What is proven about every number of a computation? The vocabulary in ball arithmetic.

`BALLS` is a namespace, given to the engine's interpreters as their base as `BOUNDED` is. Its arrays are plain NumPy
arrays of dtype object that hold `arb`; arrays of bool, integers and floats are exact numbers and mix freely with them.

How a row gets its enclosure: modules `balls_*` each export

    ENCLOSURES: dict[str, Callable]      # name of a row -> function(*arrays, **params)

merged below. `arrays` come by position as the row takes them (a row with `arity=None` gets one list of arrays): each an
object array of `arb`, or an exact NumPy array or Python number; `flint_library.balls(x)` makes balls of any of them.
`params` come by keyword as the row's own do, its defaults filled in, axes counted from the end, leading axes batched.
The result is an object array of `arb` (0-d for one number), a tuple of them for a row of several results, or a plain
array of bool or integers. The precision is whatever `flint_library.working_bits()` says: a function never changes it.
What has no value there (a logarithm of a ball that reaches zero) is a ball that is not finite: `arb.nan()`. Inputs are
balls, never points: a function must hold for every number in them. A question that overlapping balls leave open (which
is larger, is it zero) raises `flint_library.Undecided(mask)`, `mask` the open elements in the array's shape (its
leading axis is the batch). A row that is a composition of others runs by itself; one with no enclosure raises
`Unsupported`.
"""
