"""Are a behaviour's steps read in order, with the names they may use?"""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from gradcheck.errors import SpecErrors
from gradcheck.spec import Semantics, load

Write = Callable[..., str]
GOOD = """gradcheck: 1
semantics:
  all_steps:
    summary: Every action once.
    tags: [seed-002e]
    steps:
      - tensor: {w: [1, 1], v: 2}
      - constant: {c: [2, 2]}
      - let: {y: w*c, z: sum(y)}
      - no_grad: {q: 2*w}
      - detach: {u: y}
      - requires_grad: {w: false}
      - backward: z
        raises: second time
      - backward: {of: y, gradient: [1, 2], retain_graph: true}
      - zero_grad: [w, v]
      - sgd: {lr: 0.01, of: [w]}
      - repeat: {times: 3, steps: [{let: {r: 2*z}}, {backward: r}]}
      - expect: {value: {z: 4}, grad: {w: [1, 1], c: null}, requires_grad: {q: false}, is_leaf: {w: true},
                 node: {z: sum}, nodes: {z: [multiply, sum]}, decimals: 4}
        warns: not a leaf
"""


def behaviour(write: Write, text: str = GOOD) -> Semantics:
    (found,) = load(write(text)).semantics
    return found


def test_steps(write: Write) -> None:
    found = behaviour(write)
    steps = {(step.action, step.place.line): step for step in found.steps}
    assert (found.id, found.tags, found.place.line) == ("all_steps", ("seed-002e",), 3)
    assert found.text == "\n".join(GOOD.split("\n")[2:-1])
    assert steps["tensor", 7].arguments == {"w": (1.0, 1.0), "v": 2.0}
    assert {name: p.text for name, p in steps["let", 9].arguments.items()} == {"y": "w*c", "z": "sum(y)"}
    assert steps["detach", 11].arguments == {"u": "y"}
    assert steps["requires_grad", 12].arguments == {"w": False}
    first, second = steps["backward", 13], steps["backward", 15]
    assert first.arguments == {"of": "z", "gradient": None, "retain_graph": None, "create_graph": False}
    assert (first.raises, first.warns) == ("second time", None)
    assert second.arguments == {"of": "y", "gradient": (1.0, 2.0), "retain_graph": True, "create_graph": False}
    assert steps["zero_grad", 16].arguments == ("w", "v")
    assert steps["sgd", 17].arguments == {"lr": 0.01, "of": ("w",)}
    repeat = steps["repeat", 18].arguments
    assert (repeat["times"], [step.action for step in repeat["steps"]]) == (3, ["let", "backward"])
    expect = steps["expect", 19]
    assert expect.warns == "not a leaf"
    assert expect.arguments == {
        "value": {"z": 4.0}, "grad": {"w": (1.0, 1.0), "c": None}, "requires_grad": {"q": False},
        "is_leaf": {"w": True}, "node": {"z": "sum"}, "nodes": {"z": ("multiply", "sum")}, "decimals": 4,
    }  # fmt: skip


def test_can_be_pickled(write: Write) -> None:
    found = behaviour(write)
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("{y: w*c", "{y: w*d", "9:20: all_steps.steps[2].let.y: unknown name 'd'"),
        ("z: sum(y)}", "z: sum(z)}", "9:30: all_steps.steps[2].let.z: unknown name 'z'"),
        ("{u: y}", "{u: yy}", "11:21: all_steps.steps[4].detach.u: unknown name 'yy'"),
        ("requires_grad: {w:", "requires_grad: {ww:", "12:25: all_steps.steps[5].requires_grad.ww: unknown name 'ww'"),
        ("backward: z", "backward: zz", "13:19: all_steps.steps[6].backward: unknown name 'zz'"),
        ("{of: y", "{of: yy", "15:24: all_steps.steps[7].backward.of: unknown name 'yy'"),
        ("[w, v]", "[w, vv]", "16:24: all_steps.steps[8].zero_grad[1]: unknown name 'vv'"),
        ("of: [w]", "of: [x]", "17:30: all_steps.steps[9].sgd.of[0]: unknown name 'x'"),
        ("lr: 0.01", "lr: -1", "17:19: all_steps.steps[9].sgd.lr: a rate of -1.0 is no step"),
        ("lr: 0.01", "lr: true", "17:19: all_steps.steps[9].sgd.lr: true or false does not belong here"),
        ("times: 3", "times: 0", "18:25: all_steps.steps[10].repeat.times: 0 is not such a number"),
        ("times: 3", "times: 1e9", "18:25: all_steps.steps[10].repeat.times: 1000000000.0 is not such a number"),
        ("{backward: r}", "{backward: k}", "18:64: all_steps.steps[10].repeat.steps[1].backward: unknown name 'k'"),
        ("c: null", "d: null", "19:51: all_steps.steps[11].expect.grad.d: unknown name 'd'"),
        ("raises: second time", "raises: ''", "14:17: all_steps.steps[6].raises: any message has this part"),
        ("raises: second", "raise: second", "14:9: all_steps.steps[6]: unknown key 'raise'; did you mean 'raises'?"),
        ("tensor: {w", "tensor: {sum", "7:18: all_steps.steps[0].tensor.sum: 'sum' is a function of the vocabulary"),
        ("{times: 3, steps: [{let: {r: 2*z}}, {backward: r}]}", "{times: 3, steps: []}", "18:17: "),
    ],
)  # fmt: skip
def test_refused(write: Write, old: str, new: str, complaint: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(SpecErrors) as refusal:
        load(write(GOOD.replace(old, new)))
    assert [e for e in refusal.value.errors if str(e).startswith(f"a.grad.yaml:{complaint}")], str(refusal.value)


def test_without_steps(write: Write) -> None:
    with pytest.raises(SpecErrors, match="3:3: b: a behaviour without steps shows nothing"):
        load(write("gradcheck: 1\nsemantics:\n  b: {steps: []}\n"))


@pytest.mark.parametrize("times", [(100, 100), (1000, 11)])
def test_repetitions_multiply(write: Write, times: tuple[int, int]) -> None:
    inner = f"{{repeat: {{times: {times[1]}, steps: [{{let: {{z: w}}}}]}}}}"
    text = (
        "gradcheck: 1\nsemantics:\n  b:\n    steps:\n      - tensor: {w: 1}\n"
        f"      - repeat: {{times: {times[0]}, steps: [{inner}]}}\n      - expect: {{value: {{w: 1}}}}\n"
    )
    if times == (100, 100):
        assert behaviour(write, text).id == "b"
    else:
        with pytest.raises(SpecErrors, match="more than 10000 steps in all"):
            load(write(text))
