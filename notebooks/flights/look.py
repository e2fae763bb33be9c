"""How the example's plots look: one place, so that the five notebooks read as one text.

White ground (legible in a dark theme too), few lines, one color for each of the two models and grey for all
that is context.
"""

from __future__ import annotations

INK, GREY, PALE = "#24292f", "#8b949e", "#d8dde3"
MODEL_A, MODEL_B = (
    "#2f6db3",
    "#d2691e",
)  # logistic regression, gradient boosting; told apart without color vision

STYLE: dict[str, object] = {
    "figure.facecolor": "white",
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def apply() -> None:
    """Set the style for every figure drawn after this."""
    import matplotlib

    matplotlib.rcParams.update(STYLE)
