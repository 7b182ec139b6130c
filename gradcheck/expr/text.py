"""How is a formula written down? The text that the parser reads back to the same tree, with no needless parentheses."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck.expr import nodes as n

# how tightly a construct binds in Python's grammar; a child that binds less than its place asks for gets parentheses
_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(10)
_INFIX: dict[str, tuple[str, int]] = {
    "logical_or": (" or ", _OR), "logical_and": (" and ", _AND),
    "less": (" < ", _COMPARE), "less_equal": (" <= ", _COMPARE), "greater": (" > ", _COMPARE),
    "greater_equal": (" >= ", _COMPARE), "equal": (" == ", _COMPARE), "not_equal": (" != ", _COMPARE),
    "add": (" + ", _SUM), "subtract": (" - ", _SUM),
    "multiply": ("*", _PRODUCT), "divide": ("/", _PRODUCT), "matmul": (" @ ", _PRODUCT),
    "remainder": (" % ", _PRODUCT), "floor_divide": ("//", _PRODUCT),
}  # fmt: skip
_PREFIX = {"logical_not": ("not ", _NOT), "negative": ("-", _SIGN), "positive": ("+", _SIGN)}
Written = tuple[str, int]


def to_text(node: n.Node) -> str:
    """The formula of a tree; `parse_formula` reads it back to an equal tree, but for the places of its nodes."""
    return _print(node, _CHOICE)


def _print(node: n.Node | None, place: int) -> str:
    if node is None:
        return ""
    text, binding = _PRINT[type(node)](node)
    return f"({text})" if binding < place else text


def _const(node: n.Const) -> Written:
    text = node.name or repr(node.value)
    return text, _SIGN if text.startswith("-") else _ATOM


def _call(node: n.Call) -> Written:
    name, args = node.primitive, node.args
    if name in _INFIX and not node.params:
        sign, binding = _INFIX[name]
        lower = binding + (binding == _COMPARE)  # comparisons in a row would be read as a chain
        return f"{_print(args[0], lower)}{sign}{_print(args[1], binding + 1)}", binding
    if name in _PREFIX and not node.params:
        sign, binding = _PREFIX[name]
        return f"{sign}{_print(args[0], binding)}", binding
    if name == "pow":
        return f"{_print(args[0], _ATOM)}**{_print(args[1], _SIGN)}", _POWER
    if name == "permute_dims" and not node.params:
        return f"{_base(args[0])}.T", _ATOM
    shown = [_print(a, _CHOICE) for a in args] + [f"{key}={_print(value, _CHOICE)}" for key, value in node.params]
    return f"{name}({', '.join(shown)})", _ATOM


def _base(node: n.Node) -> str:
    """What an attribute or an index is taken of."""
    text = _print(node, _ATOM)
    return f"({text})" if isinstance(node, n.Const) and text[0] != "(" else text


def _call_local(node: n.CallLocal) -> Written:
    return f"{node.function}({', '.join(_print(a, _CHOICE) for a in node.args)})", _ATOM


def _choice(node: n.Choice) -> Written:
    then, condition = _print(node.then, _OR), _print(node.condition, _OR)
    return f"{then} if {condition} else {_print(node.otherwise, _CHOICE)}", _CHOICE


def _index(node: n.Index) -> Written:
    return f"{_base(node.value)}[{', '.join(map(_item, node.items))}]", _ATOM


def _item(item: n.Node | n.Slice | None) -> str:
    if item is None:
        return "None"
    if isinstance(item, n.Slice):
        step = f":{_print(item.step, _CHOICE)}" if item.step is not None else ""
        return f"{_print(item.start, _CHOICE)}:{_print(item.stop, _CHOICE)}{step}"
    return _print(item, _CHOICE)


def _outputs(node: n.Outputs) -> Written:
    pairs = [f'"{name}": {_print(item, _CHOICE)}' for name, item in zip(node.names, node.items, strict=True)]
    return f"{{{', '.join(pairs)}}}", _ATOM


_PRINT: dict[type, Callable[..., Written]] = {
    n.Const: _const, n.Call: _call, n.CallLocal: _call_local, n.Choice: _choice, n.Index: _index, n.Outputs: _outputs,
    n.Name: lambda node: (node.id, _ATOM),
    n.Text: lambda node: (f'"{node.value}"', _ATOM),
    n.Dots: lambda node: ("...", _ATOM),
    n.Shape: lambda node: (f"{_base(node.value)}.{node.attribute}", _ATOM),
    n.Sequence: lambda node: (f"[{', '.join(_print(item, _CHOICE) for item in node.items)}]", _ATOM),
}  # fmt: skip
