"""Steppers: a recording, step by step, under the arrow keys."""

from seqlib.widgets.ctc_trellis import CtcTrellisStepper
from seqlib.widgets.modules import inline
from seqlib.widgets.recurrent import RecurrentStepper
from seqlib.widgets.stepper import Stepper

__all__ = ["CtcTrellisStepper", "RecurrentStepper", "Stepper", "inline"]
