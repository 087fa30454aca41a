// Draws every chart of the reports as SVG, from plain data.
//
// A chart is an object with a `kind`:
//   lines: {x, log?, smooth?, height?, range?, series: [{name, look, points, style?, band?}]}, a
//     metric over steps, of which those in `range` are shown; `lines.js` draws it. `points` is flat,
//     [x, y, x, y, ...]; a y of null breaks the line. `band` is flat, [x, lowest, highest, ...].
//     `style` is "line", "stairs" or "points"; `look` is a class that gives `--hue`; `smooth` is a
//     strength from 0 to 1.
//   scatter: {x: axis, y: axis, labels, cut?}, a point for each pair of values, later ones darker.
//     Where `cut` is true, the point is hollow, the line of `parallel` dashed.
//   bars: {bars: [[name, value], ...]}, horizontal, from zero to the largest.
//   parallel: {axes: [axis, ...], ranks, labels, cut?}, a line for each trial; rank 0 is the worst.
// `label` describes a chart to a screen reader. An axis is {name, values, log?, whole?}; its values
// are numbers, or else choices; `whole` has marks at integers only.

"use strict";
/* global DIGIT, axisOf, closest, decimalsApart, drawLines, element, formatCell, formatValue */
/* global frameOf, shape, shortened */
/* exported changeCharts, showChart, showAllCharts, withTip */

function drawScatter(chart, width) {
  const height = 180;
  const frame = frameOf(axisOf(chart.x, Math.max(2, width / 65)), axisOf(chart.y, height / 36),
    width, height);
  const places = chart.x.values.map((value, index) => ({
    x: frame.x(value), y: frame.y(chart.y.values[index]),
    text: `${chart.labels[index]}: ${chart.x.name} ${formatCell(value)}, `
      + `${chart.y.name} ${formatValue(chart.y.values[index])}`,
  }));
  frame.sheet.append(shape("g", {class: "train"}, ...places.map((place, index) => shape("circle",
    {class: chart.cut?.[index] ? "cut" : "", cx: place.x, cy: place.y, r: 3.4,
      "fill-opacity": 0.3 + 0.65 * index / Math.max(1, places.length - 1)}))));
  const nearest = (x, y) => closest(places, place => Math.hypot(place.x - x, place.y - y));
  return withTip(frame.sheet, nearest, place => shape("circle",
    {class: "near train", cx: place.x, cy: place.y, r: 6}));
}

function drawBars({bars}, width) {
  const row = 28, left = Math.min(0.45 * width,
    Math.max(...bars.map(([name]) => name.length)) * DIGIT + 12);
  const right = 48, most = Math.floor((left - 12) / DIGIT);
  const height = row * bars.length + 4;
  const largest = Math.max(...bars.map(([, value]) => value)) || 1;
  const sheet = shape("svg",
    {width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "train"});
  bars.forEach(([name, value], index) => {
    const top = row * index + 4, length = value / largest * (width - left - right);
    sheet.append(
      shape("text", {x: left - 8, y: top + 14, "text-anchor": "end"}, shortened(name, most),
        shape("title", {}, name)),
      shape("rect", {class: "bar", x: left, y: top, width: Math.max(1, length), height: 20, rx: 3}),
      shape("text", {x: left + length + 6, y: top + 14},
        value > 0 && value < 0.005 ? "< 0.01" : value.toFixed(2)));
  });
  return sheet;
}

// Draws a line for each trial across all axes; the best one is drawn last, in another color.
function drawParallel({axes, ranks, labels, cut = []}, width) {
  const margin = 26, top = 34, height = 300;
  width = Math.max(width, 130 * axes.length);
  const gap = (width - 2 * margin - 60) / (axes.length - 1);
  const drawn = axes.map(axis => axisOf(axis, 5));
  const decimals = axes.map(axis => decimalsApart(axis.values));
  const x = column => margin + column * gap;
  const y = share => top + (1 - share) * (height - top - 20);
  const sheet = shape("svg",
    {width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "train"});
  const lines = labels.map((label, index) => ({
    rank: ranks[index], look: cut[index] ? "line cut" : "line",
    points: drawn.map((axis, column) => [x(column), y(axis.place(axes[column].values[index]))]),
    text: [label, ...axes.map(({name, values}, column) =>
      `${name} ${formatCell(values[index], decimals[column])}`)].join("\n"),
  })).sort((one, other) => one.rank - other.rank);
  const path = line => "M" + line.points.map(point => point.join(" ")).join("L");
  for (const line of lines) {
    const best = line.rank === lines.length - 1 && line.look === "line";
    const share = line.rank / Math.max(1, lines.length - 1);
    sheet.append(shape("path", {class: best ? "line eval" : line.look, d: path(line),
      "stroke-opacity": best ? 1 : 0.15 + 0.7 * share ** 2}));
  }
  drawn.forEach((axis, column) => {
    const at = x(column);
    const ends = column === axes.length - 1;  // The name of the last axis ends at the edge.
    sheet.append(shape("path", {class: "axis", d: `M${at} ${y(1)}V${y(0)}`}),
      shape("text", {x: ends ? width - 4 : at - 4, y: 16, "text-anchor": ends ? "end" : "start"},
        shortened(axes[column].name, Math.floor(gap / DIGIT)),
        shape("title", {}, axes[column].name)),
      ...axis.marks.map(([share, label]) =>
        shape("text", {class: "over", x: at + 5, y: y(share) + 3.5}, label)));
  });
  const nearest = (pointer, height) => closest(lines.map(line => {
    const column = Math.min(Math.max(0, Math.floor((pointer - margin) / gap)), axes.length - 2);
    const share = Math.min(Math.max(0, (pointer - x(column)) / gap), 1);
    const [[, from], [, to]] = line.points.slice(column, column + 2);
    return {...line, x: pointer, y: from + share * (to - from)};
  }), place => Math.abs(place.y - height));
  return withTip(sheet, nearest, place => shape("path", {class: "near line", d: path(place)}));
}

// Adds a note beside the pointer: `nearest(x, y)` is what it points at, `mark` shows where, `words`
// says what it is. The note is outside of the chart, which would cut it.
function withTip(sheet, nearest, mark, words = place => place.text) {
  const marked = shape("g", {"pointer-events": "none"});
  sheet.append(marked);
  const show = event => {
    const box = sheet.getBoundingClientRect();
    const place = nearest(event.clientX - box.left, event.clientY - box.top);
    marked.replaceChildren(mark(place));
    showTip([words(place)].flat(), event);
  };
  const hide = () => {
    tip.hidden = true;
    marked.replaceChildren();
  };
  sheet.addEventListener("pointermove", show);
  sheet.addEventListener("pointerdown", show);
  sheet.addEventListener("pointerleave", hide);
  sheet.addEventListener("pointercancel", hide);
  return sheet;
}

const tip = element("div", {class: "tip", hidden: ""});
document.body.append(tip);
addEventListener("scroll", () => { tip.hidden = true; }, {passive: true, capture: true});

function showTip(parts, {clientX, clientY}) {
  tip.replaceChildren(...parts);
  tip.hidden = false;
  const {clientWidth, clientHeight} = document.documentElement;
  const right = clientX + 16, left = clientX - 16 - tip.offsetWidth;
  const fits = right + tip.offsetWidth <= clientWidth || left < 0;
  tip.style.left = `${Math.max(0, Math.min(fits ? right : left, clientWidth - tip.offsetWidth))}px`;
  const top = Math.min(clientY - tip.offsetHeight / 2, clientHeight - tip.offsetHeight);
  tip.style.top = `${Math.max(0, top)}px`;
}

const DRAW = {lines: drawLines, scatter: drawScatter, bars: drawBars, parallel: drawParallel};
const placed = new WeakMap();  // Of each place the chart, and the width at which it was drawn.

// The reader drags over a part of a chart to enlarge it; a double click shows all of it again.
document.addEventListener("zoom", ({target, detail}) => {
  const place = target.closest(".plot");
  showChart(place, {...placed.get(place).chart, range: detail});
});

function redraw(place) {
  const entry = placed.get(place), width = place.clientWidth;
  if (!width || entry.width === width) return;
  entry.width = width;
  place.replaceChildren(DRAW[entry.chart.kind](entry.chart, width));
  place.querySelector("svg")?.setAttribute("aria-label", entry.chart.label);
}

const watcher = new ResizeObserver(entries => entries.forEach(entry => redraw(entry.target)));

// Draws a chart into an element, now and whenever the element's width changes.
function showChart(place, chart) {
  placed.set(place, {chart, width: 0});
  redraw(place);
  watcher.observe(place);
}

// Draws every chart that the page describes: a `.plot` has its data in the script element after it.
function showAllCharts() {
  for (const place of document.querySelectorAll(".plot"))
    showChart(place, JSON.parse(place.nextElementSibling.textContent));
}

// Draws every chart that lies in `region` again, with some of its fields changed.
function changeCharts(region, fields) {
  for (const place of region.querySelectorAll(".plot")) {
    const {chart} = placed.get(place);
    showChart(place, {...chart, ...fields});
  }
}
