// Draws every chart of the reports as SVG, from plain data.
//
// A chart is an object with a `kind`:
//   lines: {x, y, log?, series: [{name, look, points, style?}]}, a metric over steps.
//     `points` is flat, [x, y, x, y, ...]; a y of null breaks the line. `style` is "line", "stairs"
//     or "points"; `look` is a class that gives `--hue`.
//   scatter: {x: axis, y: axis, labels}, a point for each pair of values, later ones darker.
//   bars: {bars: [[name, value], ...]}, horizontal, from zero to the largest.
//   parallel: {axes: [axis, ...], ranks, labels}, a line for each trial; rank 0 is the worst.
//   empty: {words}, said in place of a chart.
// `label` describes a chart to a screen reader. An axis is {name, values, log?}; its values are
// numbers, or else choices.

"use strict";
/* global DIGIT, axisOf, element, formatNumber, formatValue, frameOf, numberAxis, shape */
/* global shortened */
/* exported showChart, showAllCharts */

const MARKED_POINTS = 40;  // Up to so many points of a line are drawn as dots.

function pairs(flat) {
  return Array.from({length: flat.length / 2}, (_, at) => [flat[2 * at], flat[2 * at + 1]]);
}

// Draws one or more series over a common x, which counts steps or trials.
function drawLines(chart, width) {
  const height = width > 600 ? 340 : 180;
  const usable = ([, value]) => value !== null && (!chart.log || value > 0);
  const series = chart.series.map(one => ({...one, points: pairs(one.points)}));
  const drawn = series.flatMap(one => one.points.filter(usable));
  if (!drawn.length)
    return drawEmpty({words: chart.log ? "no value above zero" : "no finite value"});
  const across = numberAxis(series.flatMap(one => one.points.map(([x]) => x)),
    {whole: true, room: 0, about: Math.min(Math.max(2, width / 65), 12)});
  const down = numberAxis(drawn.map(([, y]) => y), {log: chart.log, about: height / 36});
  const frame = frameOf(across, down, width, height);
  const dotted = series.every(one => one.points.length <= MARKED_POINTS);
  for (const one of series) frame.sheet.append(drawSeries(one, usable, frame, dotted));
  const places = series.map(one => one.points.filter(usable).map(([x, y]) => ({
    x: frame.x(x), y: frame.y(y), look: one.look,
    text: `${series.length > 1 ? one.name + ", " : ""}${chart.x} ${formatValue(x)}: `
      + formatValue(y),
  })));
  // The pointer chooses a place along x in each series, then the series.
  const nearest = (x, y) => closest(places.filter(row => row.length).map(row =>
    closest(row, place => Math.abs(place.x - x))), place => Math.hypot(place.x - x, place.y - y));
  return withTip(frame.sheet, nearest, point => shape("circle",
    {class: `near ${point.look}`, cx: point.x, cy: point.y, r: 5}));
}

function drawSeries({look, points, style = "line"}, usable, frame, dotted) {
  const group = shape("g", {class: look}), dots = [];
  const path = [];
  let pen = "M";
  for (const point of points) {
    if (!usable(point)) { pen = "M"; continue; }
    const x = frame.x(point[0]).toFixed(1), y = frame.y(point[1]).toFixed(1);
    dots.push(shape("circle", {cx: x, cy: y, r: 2.5}));
    if (pen === "M") path.push(`M${x} ${y}h0`);  // A lone point shows as the line's round end.
    else path.push(style === "stairs" ? `H${x}V${y}` : `L${x} ${y}`);
    pen = "L";
  }
  if (style !== "points") group.append(shape("path", {class: "line", d: path.join("")}));
  if (style === "points") group.setAttribute("opacity", 0.5);
  if (style !== "stairs") group.append(...(dotted || style === "points" ? dots : dots.slice(-1)));
  return group;
}

function drawScatter(chart, width) {
  const height = 180;
  const frame = frameOf(axisOf(chart.x, Math.max(2, width / 65)), axisOf(chart.y, height / 36),
    width, height);
  const places = chart.x.values.map((value, index) => ({
    x: frame.x(value), y: frame.y(chart.y.values[index]),
    text: `${chart.labels[index]}: ${chart.x.name} ${formatNumber(value)}, `
      + `${chart.y.name} ${formatValue(chart.y.values[index])}`,
  }));
  frame.sheet.append(shape("g", {class: "train"}, ...places.map((place, index) => shape("circle",
    {cx: place.x, cy: place.y, r: 3.4,
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
      shape("text", {x: left + length + 6, y: top + 14}, value.toFixed(2)));
  });
  return sheet;
}

// Draws a line for each trial across all axes; the best one is drawn last, in another color.
function drawParallel({axes, ranks, labels}, width) {
  const margin = 26, top = 34, height = 300;
  width = Math.max(width, 130 * axes.length);
  const gap = (width - 2 * margin - 60) / (axes.length - 1);
  const drawn = axes.map(axis => axisOf(axis, 5));
  const x = column => margin + column * gap;
  const y = share => top + (1 - share) * (height - top - 20);
  const sheet = shape("svg",
    {width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "train"});
  const lines = labels.map((label, index) => ({
    rank: ranks[index],
    points: drawn.map((axis, column) => [x(column), y(axis.place(axes[column].values[index]))]),
    text: [label, ...axes.map(axis => `${axis.name} ${formatNumber(axis.values[index])}`)]
      .join("\n"),
  })).sort((one, other) => one.rank - other.rank);
  const path = line => "M" + line.points.map(point => point.join(" ")).join("L");
  for (const line of lines) {
    const best = line.rank === lines.length - 1;
    const share = line.rank / Math.max(1, lines.length - 1);
    sheet.append(shape("path", {class: best ? "line eval" : "line", d: path(line),
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

function closest(places, distance) {
  return places.reduce((best, place) => distance(place) < distance(best) ? place : best);
}

// Adds a note beside the pointer: `nearest(x, y)` is what it points at, `mark` shows where.
function withTip(sheet, nearest, mark) {
  const tip = element("div", {class: "tip", hidden: ""});
  const marked = shape("g", {"pointer-events": "none"});
  sheet.append(marked);
  sheet.addEventListener("pointermove", event => {
    const box = sheet.getBoundingClientRect();
    const place = nearest(event.clientX - box.left, event.clientY - box.top);
    marked.replaceChildren(mark(place));
    tip.textContent = place.text;
    tip.hidden = false;
    const above = place.y - tip.offsetHeight - 10;
    const left = Math.min(place.x - tip.offsetWidth / 2, box.width - tip.offsetWidth);
    const top = Math.min(above < 0 ? place.y + 12 : above, box.height - tip.offsetHeight);
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${Math.max(0, top)}px`;
  });
  sheet.addEventListener("pointerleave", () => {
    tip.hidden = true;
    marked.replaceChildren();
  });
  const both = document.createDocumentFragment();
  both.append(sheet, tip);
  return both;
}

function drawEmpty({words}) {
  return element("p", {class: "empty"}, words);
}

const DRAW = {lines: drawLines, scatter: drawScatter, bars: drawBars, parallel: drawParallel,
  empty: drawEmpty};
const placed = new WeakMap();  // Of each place the chart, and the width at which it was drawn.

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
