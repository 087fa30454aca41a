"""Scores translations, and draws where the network looked."""

import numpy as np

from lecture_models.data.words import split_sentence
from lecture_models.evaluators.translation import Languages, Translation, align
from lecture_models.experiment import DataTable, Evaluation, Images
from lecture_models.metrics.translation_scores import TextScores, score_texts
from lecture_models.models.translator import Translator
from lecture_models.plots.attention_map import attention_map
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.steps.descent import Params

LENGTHS = 4  # Groups of sentences of about equal size, by the length of the source.


def score(translations: list[Translation], references: list[str]) -> TextScores:
    """Returns the scores of the best translation of each sentence."""
    texts = [translation.texts[0] for translation in translations]
    return score_texts(texts, [(reference,) for reference in references])


def scores_by_length(
    translations: list[Translation], source: list[str], references: list[str]
) -> tuple[DataTable, Images]:
    """Returns BLEU of test sentences in groups of growing length: Bahdanau et al., figure 2."""
    lengths = np.array([len(split_sentence(text)) for text in source])
    groups = np.array_split(np.argsort(lengths, kind="stable"), min(LENGTHS, len(source)))
    rows, middles, values = [], [], []
    for group in groups:
        found = score([translations[k] for k in group], [references[k] for k in group])
        rows.append((f"{lengths[group].min()} to {lengths[group].max()}", len(group), found.bleu))
        middles.append(float(lengths[group].mean()))
        values.append(found.bleu)
    table = DataTable(
        ("words of the source", "sentences", "BLEU"), tuple(rows), "greedy, test sentences"
    )
    curve = Curve("greedy", np.array(middles), np.array(values), marker="o")
    plot = line_plot([curve], ("words of the source", "BLEU"))
    return table, Images(plot[None], 1, "BLEU of test sentences by their length")


def attention_pictures(
    model: Translator, params: Params, languages: Languages, source: list[str], written: list[str]
) -> Evaluation:
    """Draws at which words of the source the decoder looked when it wrote each word."""
    if not model.attention_features:
        return {}
    maps = [
        attention_map(alignment.source, alignment.target, alignment.weights)
        for alignment in align(model, params, languages, source, written)
    ]
    caption = "the weight of each word of the source (columns) at each written word (rows)"
    return {"attention": Images(np.stack(maps), min(3, len(maps)), caption)}
