"""How does a formula become something a browser sets as mathematics? LaTeX to MathML, or its text where that fails.

latex2mathml copies what stands in \\text{…} as it is, markup included, and passes links on; so its result is read back
and only known elements and attributes are written out again.
"""

from __future__ import annotations

from html import escape
from xml.etree.ElementTree import Element, ParseError, fromstring

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = (
    "math mrow mi mn mo mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd mstyle "
    "mpadded mphantom mmultiscripts mprescripts none"
)
ATTRIBUTES = (
    "displaystyle scriptlevel stretchy separator lspace rspace width height depth linethickness "
    "accent accentunder minsize maxsize symmetric largeop movablelimits"
)
# Where each child must be there: latex2mathml leaves one out of \frac{1 without a word.
CHILDREN = {"mfrac": 2, "msup": 2, "msub": 2, "mroot": 2, "mover": 2, "munder": 2, "msubsup": 3, "munderover": 3}
THIN_SPACE = '<mspace width=".17em"></mspace>'
OPENING = ("(", "[", "{")


def mathml(latex: str, text: str, display: bool = False) -> str:
    """`latex` as a <math> element, or where it is empty or not understood `text` as a <code> element; safe HTML."""
    try:
        # Not display="block", which browsers centre.
        return _written(_converted(latex)).replace("<math", '<math displaystyle="true"' if display else "<math", 1)
    except _NotUnderstood:
        return f"<code>{escape(text or latex)}</code>"


class _NotUnderstood(Exception):
    """The LaTeX is not in the part of the language that we can show."""


def _converted(latex: str) -> Element:
    if not latex.strip():
        raise _NotUnderstood
    try:
        from latex2mathml.converter import convert
    except ImportError as missing:
        raise _NotUnderstood from missing
    try:
        return fromstring(convert(latex))
    except ParseError as error:
        raise _NotUnderstood from error
    except Exception as error:  # its own exceptions share no base, and broken LaTeX also ends in an IndexError
        raise _NotUnderstood from error


def _written(element: Element) -> str:
    tag = element.tag.removeprefix(NAMESPACE)
    if tag not in ELEMENTS.split() or len(element) < CHILDREN.get(tag, 0):
        raise _NotUnderstood
    word = _word(element)
    if word:
        return f"<mi>{escape(word)}</mi>"
    kept = "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items() if _matters(name, value))
    if element.get("columnalign") == "left":  # Browsers read style sheets for this, not the attribute.
        kept += ' class="left"'
    inside = escape(element.text or "", quote=False) + _children(element)
    if tag == "mrow" and len(element) == 1 and not kept:
        return inside
    return f"<{tag}{kept}>{inside}</{tag}>"


def _matters(name: str, value: str) -> bool:
    """Whether an attribute is one we know and not what a browser assumes anyway."""
    return name in ATTRIBUTES.split() and (name, value) != ("stretchy", "true")


def _word(element: Element) -> str:
    r"""The word behind \mathtt{ct} (it arrives as one letter an element) or \operatorname{erf} (as an operator)."""
    if element.tag == f"{NAMESPACE}mo" and _is_function(element):
        return element.text or ""
    return _letters(element)


def _letters(element: Element) -> str:
    letters = [child for child in element if child.get("mathvariant") and child.tag == f"{NAMESPACE}mi"]
    if element.tag != f"{NAMESPACE}mrow" or len(letters) < 2 or len(letters) != len(element):
        return ""
    return "".join(child.text or "" for child in letters)


def _children(element: Element) -> str:
    """The children, with the thin spaces that mathematics puts around the name of a function: a sin x."""
    children = list(element)
    parts = []
    for i, child in enumerate(children):
        named = _is_function(child)
        if named and i > 0 and not _is_operator(children[i - 1]):
            parts.append(THIN_SPACE)
        parts.append(_written(child))
        if named and i + 1 < len(children) and not (_is_operator(children[i + 1]) or _opens(children[i + 1])):
            parts.append(THIN_SPACE)
    row = element.tag in (f"{NAMESPACE}mrow", f"{NAMESPACE}math", f"{NAMESPACE}mtd", f"{NAMESPACE}mstyle")
    return "".join(parts) if row else "".join(map(_written, children))


def _is_function(element: Element) -> bool:
    base = element[0] if element.tag in (f"{NAMESPACE}msup", f"{NAMESPACE}msub") and len(element) else element
    if _letters(base):
        return True
    name = base.text or ""
    return base.tag in (f"{NAMESPACE}mi", f"{NAMESPACE}mo") and len(name) > 1 and name.isalpha()


def _is_operator(element: Element) -> bool:
    operator = element.tag in (f"{NAMESPACE}mo", f"{NAMESPACE}mspace") and element.text not in (")", "]")
    return operator and not _is_function(element)


def _opens(element: Element) -> bool:
    first = element[0] if element.tag == f"{NAMESPACE}mrow" and len(element) else element
    return first.tag == f"{NAMESPACE}mo" and first.text in OPENING
