// Draws the curves of the selected runs over each other, and their images side by side.

"use strict";
/* global byId, element, formatNumber, shape, showChart */
/* exported drawCurves, drawImages */

const HUES = 8, DASHES = 4;  // Of `index.css`: 32 curves look different.
const FEW_VALUES = 2 * 3;  // A curve of three points says little.
const MOST_WITH_IMAGES = 24;
let points;  // Of each run the curves by metric, each flat: [step, value, step, value, ...].

function curvesOf(run) {
  points ??= JSON.parse(byId("points").textContent);
  return new Map(Object.entries(points[run.index]));
}

// Returns every metric of the runs, evaluations first, and the one to draw: the one that the reader
// chose, else the one of which most runs have more than a few points.
function metricsOf(selected, chosen) {
  const counts = new Map();
  for (const run of selected)
    for (const [name, flat] of curvesOf(run))
      counts.set(name, (counts.get(name) ?? 0) + (flat.length > FEW_VALUES ? 1 : 0.001));
  const rank = name => (name.startsWith("eval/") ? 0 : 1);
  const names = [...counts.keys()].sort((one, other) => rank(one) - rank(other));
  const most = [...names].sort((one, other) => counts.get(other) - counts.get(one))[0];
  return [names, counts.has(chosen) ? chosen : most ?? ""];
}

function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(([key, words]) => element("option", {value: key}, words)));
  select.value = chosen;
}

function drawCurves(selected, choice, remove) {
  const [names, metric] = metricsOf(selected, choice.metric);
  fillSelect(byId("metric"), names.map(name => [name, name]), metric);
  const curves = selected.map(run => ({run, flat: curvesOf(run).get(metric) ?? []}))
    .filter(({flat}) => flat.length)
    .map((curve, at) =>
      ({...curve, at, look: `c${at % HUES} d${Math.floor(at / HUES) % DASHES}`}));
  showChart(byId("chart").firstElementChild, curves.length ? {
    kind: "lines", x: "step", log: choice.log,
    label: `${metric} over steps, ${curves.length} runs`,
    series: curves.map(({run, flat, look}) => ({name: run.run, look, points: flat})),
  } : {kind: "empty", words: selected.length
    ? "The selected runs have logged no curve." : "Select runs in the table to see their curves."});
  byId("legend").replaceChildren(...curves.map(curve => legendItem(curve, remove)));
}

function legendItem({run, flat, look, at}, remove) {
  const swatch = shape("svg", {width: 26, height: 10, "aria-hidden": "true"},
    shape("path", {class: "line", d: "M1 5H25", "stroke-width": 3}));
  const name = run.report ? element("a", {href: run.href + "/report.html"}, run.run) : run.run;
  const last = flat.at(-1);
  const button = element("button", {type: "button", "aria-label": `remove ${run.run}`}, "\u00d7");
  button.addEventListener("click", () => {
    remove(run);
    const rest = byId("legend").querySelectorAll("button");
    (rest[Math.min(at, rest.length - 1)] ?? byId("metric")).focus();
  });
  return element("li", {class: look}, swatch, element("span", {class: "name"}, name),
    element("span", {class: "last"}, last === null ? "not finite" : formatNumber(last)), button);
}

function drawImages(selected, choice) {
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
    return element("figure", {}, element("a", {href: source}, image),
      element("figcaption", {}, `${run.run} \u00b7 step ${step.toLocaleString("en")}`));
  });
}
