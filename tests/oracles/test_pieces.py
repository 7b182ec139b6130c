"""Are the pieces that meet at a kink found, and nothing elsewhere?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.oracles import Hearing, Inquiry
from gradcheck.oracles.pieces import MOST_ELEMENTS, find


def pieces_of(case, said=None):
    return find(Inquiry(case), said or {})


def test_every_winner_of_a_tie_is_a_piece(spec_of, case_at):
    spec = spec_of("inputs: {x: {shape: [3]}}\nvalue: max(x)\ngradient: {x: 0*x}")
    found = pieces_of(case_at(spec, ct=[2.0, 2.0], x=[[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]))
    assert [p.row for p in found] == [1]
    corners = {tuple(g) for g in found[0].gradients}
    assert {(2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 2.0)} <= corners
    assert all(sum(c) == 2.0 for c in corners)
    assert (found[0].slack < 1e-14).all()


def test_pieces_hold_all_inputs_together(spec_of, case_at):
    spec = spec_of("inputs: {x: {}, y: {}}\nvalue: maximum(x, y)\ngradient: {x: 0*x, y: 0*y}")
    found = pieces_of(case_at(spec, ct=[1.0], x=[3.0], y=[3.0]))
    assert found[0].names == ("x", "y")
    assert {tuple(g) for g in found[0].gradients} == {(1.0, 0.0), (0.0, 1.0)}


def test_our_own_convention_is_no_piece(spec_of, case_at):
    """Along (1, 1, 1) a tie stays a tie, along an axis that of the others: what the engine says there is left out."""
    spec = spec_of("inputs: {x: {shape: [3]}}\nvalue: max(x) + sum(abs(x))\ngradient: {x: 0*x}")
    found = pieces_of(case_at(spec, ct=[1.0], x=[[0.0, 0.0, 0.0]]))[0]
    assert {tuple(sorted(abs(g - np.sign(g)))) for g in found.gradients} <= {(0.0, 0.0, 1.0), (0.0, 0.0, 0.0)}
    assert (found.gradients != 0.5).all()


def test_smooth_points_have_none(spec_of, case_at):
    spec = spec_of("inputs: {x: {shape: [2]}}\nvalue: sum(x*abs(x)) + sum(sin(3*x))\ngradient: {x: 0*x}")
    assert pieces_of(case_at(spec, ct=[1.0] * 3, x=[[0.0, 0.0], [1.0, 1.0], [1e8, -1e-8]])) == ()


def test_nothing_outside_the_domain_is_looked_at(spec_of, case_at):
    spec = spec_of('inputs: {x: {domain: "[0, 4]"}}\nvalue: abs(x)\ngradient: {x: 0*x}')
    found = pieces_of(case_at(spec, ct=[1.0], x=[0.0]))
    assert [tuple(g) for g in found[0].gradients] == [(1.0,)]


def test_gradients_without_a_limit_give_no_pieces(spec_of, case_at):
    spec = spec_of("inputs: {x: {domain: nonnegative}}\nvalue: sqrt(x)\ngradient: {x: 0*x}")
    found = pieces_of(case_at(spec, ct=[1.0], x=[0.0]))
    assert len(found) == 1
    assert found[0].gradients.shape == (0, 1)


def test_the_direction_of_a_partys_answer_is_taken(spec_of, case_at):
    """Of all unit vectors around the tip of a norm, the one a claim chose."""
    spec = spec_of("inputs: {x: {shape: [3]}}\nvalue: norm(x)\ngradient: {x: '0*x + stack([2/7, 3/7, 6/7])'}")
    case = case_at(spec, ct=[1.0], x=[[0.0, 0.0, 0.0]])
    chosen = np.array([2, 3, 6]) / 7
    without, beside = pieces_of(case)[0], pieces_of(case, Hearing(Inquiry(case)).all(()))[0]
    away = [np.abs(p.gradients - chosen).max(axis=1).min() for p in (without, beside)]
    assert away[0] > 1e-3
    assert away[1] < 1e-14


def test_drawn_points_and_large_inputs_are_left_out(spec_of, case_at):
    spec = spec_of("inputs: {x: {shape: [n]}}\nvalue: max(x)\ngradient: {x: 0*x}")
    case = case_at(spec, ct=[1.0], x=[[1.0, 1.0]])
    assert len(pieces_of(case)) == 1
    assert pieces_of(replace(case, origins=("drawn",))) == ()
    assert pieces_of(case_at(spec, ct=[1.0], x=np.ones((1, MOST_ELEMENTS + 1)))) == ()
