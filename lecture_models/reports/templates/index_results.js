// Draws the curves of the selected runs over each other, and their images side by side.

"use strict";
/* global averaged, byId, choice, collator, decimalsApart, element, fillMenu, formatNumber */
/* global formatSpread */
/* global goals, meanAndStd, nameOf, showChart, swatch */
/* exported drawCurves, drawImages, fillMetrics, fillSelect */

const FEW_VALUES = 2 * 3;  // A curve of three points says little.
const MOST_CHARTS = 4;  // Before the reader chooses metrics.
const MOST_WITH_IMAGES = 24;
let points;  // Of each run the curves by metric, each flat: [step, value, step, value, ...].

function curvesOf(run) {
  points ??= JSON.parse(byId("points").textContent);
  return points[run.index];
}

// Returns every metric of the runs, evaluations first, and those to draw: the ones that the reader
// chose, else those of which most runs have more than a few points.
function metricsOf(selected) {
  const counts = new Map();
  for (const run of selected)
    for (const [name, flat] of Object.entries(curvesOf(run)))
      counts.set(name, (counts.get(name) ?? 0) + (flat.length > FEW_VALUES ? 1 : 0.001));
  const rank = name => (name in goals ? 0 : name.startsWith("eval/") ? 1 : 2);
  const names = [...counts.keys()].sort((one, other) => rank(one) - rank(other));
  const usual = [...names].sort((one, other) => counts.get(other) - counts.get(one))
    .slice(0, MOST_CHARTS);
  return {names, drawn: choice.metrics ? names.filter(name => choice.metrics.includes(name))
    : names.filter(name => usual.includes(name))};
}

function fillMetrics() {
  const {names, drawn} = metricsOf([...choice.selected]);
  const sorted = names.toSorted(collator.compare);
  fillMenu(byId("metrics"), {
    "Evaluation": sorted.filter(name => name.startsWith("eval/")),
    "Training": sorted.filter(name => !name.startsWith("eval/")),
  }, drawn);
}

function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(([key, words]) => element("option", {value: key}, words)));
  select.value = chosen;
}

// Draws a chart for each chosen metric, and below them the values of each line.
function drawCurves(lines, selected, remove) {
  const {drawn} = metricsOf(selected);
  const one = drawn.length === 1;
  const charts = drawn.map(metric => chartOf(metric, lines, one ? 340 : 220));
  byId("charts").classList.toggle("one", one);
  const places = charts.map(() => element("div", {class: "plot"}));
  byId("charts").replaceChildren(...places.map((place, at) =>
    element("figure", {class: "chart"}, element("figcaption", {},
      element("span", {class: "name"}, drawn[at])), place)));
  places.forEach((place, at) => showChart(place, charts[at]));
  byId("nothing").hidden = charts.length > 0;
  byId("nothing").textContent = !selected.length ? "Select runs in the table to see their curves."
    : choice.metrics ? "Choose metrics to see their curves."
      : "The selected runs have logged no curve.";
  drawSummary(lines, drawn, remove);
}

function chartOf(metric, lines, height) {
  const series = lines.map(({name, look, runs}) => {
    const curves = runs.map(run => curvesOf(run)[metric]).filter(flat => flat?.length);
    if (!curves.length) return null;
    const line = choice.group ? averaged(curves, choice.band) : {points: curves[0]};
    return {name, look, ...line};
  }).filter(line => line?.points.length);
  return {kind: "lines", x: "step", log: choice.log, smooth: choice.smooth, height, series,
    label: `${metric} over steps, ${series.length} lines`};
}

// Draws the table below the charts, which is their legend: the last, lowest and highest value.
function drawSummary(lines, metrics, remove) {
  const head = element("tr", {}, element("th", {}),
    ...metrics.map(metric => element("th", {colspan: 3, class: "number"}, metric)),
    element("th", {}));
  const last = choice.group ? "mean of last \u00b1 std" : "last";
  const second = element("tr", {}, element("th", {}, choice.group ? "Group" : "Run"),
    ...metrics.flatMap(() => [last, "lowest", "highest"].map(words =>
      element("th", {class: "number"}, words))), element("th", {}));
  const columns = metrics.flatMap(metric => columnsOfMetric(lines, metric));
  const rows = lines.map((line, at) => {
    const [run] = line.runs;
    const name = choice.group ? element("span", {class: "run-name", title: line.name}, line.name)
      : nameOf(run, line.name);
    const button = element("button",
      {type: "button", "aria-label": `remove ${line.name}`}, "\u00d7");
    button.addEventListener("click", () => {
      remove(line.runs);
      const rest = byId("legend").querySelectorAll("button");
      (rest[Math.min(at, rest.length - 1)] ?? byId("none")).focus();
    });
    return element("tr", {}, element("td", {class: "name"}, swatch(line.look), name),
      ...columns.map(texts => element("td", {class: "number"}, texts[at])),
      element("td", {}, button));
  });
  byId("legend").tHead.replaceChildren(head, second);
  byId("legend").tBodies[0].replaceChildren(...rows);
  byId("legend").parentElement.hidden = !lines.length;
}

// Returns three columns of texts: the last value (of a group its mean), the lowest, the highest.
function columnsOfMetric(lines, metric) {
  const having = lines.map(({runs}) => runs.filter(run => metric in run.metrics));
  const ends = having.map(runs => runs.map(run => run.ends[metric]).filter(Boolean));
  const last = having.map(runs => runs.length
    ? meanAndStd(runs.map(run => Number(run.metrics[metric]))) : {mean: null, std: null});
  const low = ends.map(pairs => pairs.length ? Math.min(...pairs.map(([least]) => least)) : null);
  const high = ends.map(pairs => pairs.length ? Math.max(...pairs.map(([, most]) => most)) : null);
  const means = last.map(({mean}) => mean);
  const decimals = decimalsApart([...means, ...low, ...high].filter(value => value !== null));
  const text = value => value === null ? "-" : formatNumber(value, decimals);
  return [last.map(({mean, std}) => std === null ? text(mean)
    : formatSpread(mean, std).join(" \u00b1 ")), low.map(text), high.map(text)];
}

function drawImages(selected) {
  const having = selected.filter(run => run.images.length);
  const names = [...new Set(having.flatMap(run => run.images.map(([name]) => name)))];
  const chosen = names.includes(choice.image) ? choice.image : "";
  fillSelect(byId("image"), [["", "all"], ...names.map(name => [name, name])], chosen);
  const shown = having.slice(0, MOST_WITH_IMAGES);
  const cards = names.filter(name => !chosen || name === chosen).map(name =>
    element("div", {class: "card pictures"}, element("h3", {}, name),
      element("div", {class: "side"}, ...shown.flatMap(run => figuresOf(run, name)))));
  if (shown.length < having.length) cards.unshift(element("p", {class: "hint"},
    `The first ${shown.length} of ${having.length} selected runs with images.`));
  if (!cards.length) cards.push(element("p", {class: "hint"}, selected.length
    ? "The selected runs have no images." : "Select runs in the table to see their images."));
  byId("grids").replaceChildren(...cards);
}

function figuresOf(run, wanted) {
  return run.images.filter(([name]) => name === wanted).map(([name, step, file]) => {
    const source = `${run.href}/images/${file}`;
    const image = element("img",
      {src: source, loading: "lazy", alt: `${name} of ${run.run}, step ${step}`});
    // The pixels of a small image stay apart when it is enlarged.
    image.addEventListener("load", () => {
      if (image.naturalWidth < image.clientWidth) image.style.imageRendering = "pixelated";
    });
    return element("figure", {}, element("a", {href: source}, image),
      element("figcaption", {}, `${run.run} \u00b7 step ${step.toLocaleString("en")}`));
  });
}
