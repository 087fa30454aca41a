"""Defines the color of each class in scatter plots and in the frames of thumbnails."""

# Ten colors that most plots use, then two dark ones.
CLASS_COLORS = (
    "#1f77b4",
    "#ff7f0e",
    "#2ca02c",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#f277c6",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
    "#1b1b70",
    "#0d5e33",
)


def class_color(label: int) -> str:
    """Returns the hexadecimal color of a class; the 13th class has the first color again."""
    return CLASS_COLORS[label % len(CLASS_COLORS)]
