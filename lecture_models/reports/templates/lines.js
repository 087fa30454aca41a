// Draws one or more series over a common x, which counts steps or trials.

"use strict";
/* global decimalsApart, element, formatNumber, formatValue, frameOf, numberAxis, shape, withTip */
/* exported closest, drawLines, pairs, smoothed, swatch */

const MARKED_POINTS = 40;  // Up to so many points of a line are drawn as dots.
const MOST_TIP_ROWS = 12;  // Of the series that are listed beside the pointer.
const LEAST_DRAG = 8;  // Pixels; a shorter one is a click.
const SMOOTHING_STEPS = 1000;  // The x axis has so many steps of the moving average.

function pairs(flat, size = 2) {
  return Array.from({length: flat.length / size},
    (_, at) => flat.slice(size * at, size * (at + 1)));
}

function closest(places, distance) {
  return places.reduce((best, place) => distance(place) < distance(best) ? place : best);
}

// Returns a debiased exponential moving average of the points, as W&B's smoothing of the same
// strength: a point's weight falls with its distance in x, so that rare and frequent points are
// smoothed alike. `length` is that of the x axis. A gap stays a gap.
function smoothed(points, strength, length) {
  const keep = Math.min(Math.sqrt(strength), 0.999);
  let sum = 0, weight = 0, before = null;
  return points.map(([x, y]) => {
    if (y === null) return [x, y];
    const share = before === null || !length ? 1
      : keep ** ((x - before) / length * SMOOTHING_STEPS);
    sum = sum * share + y;
    weight = weight * share + 1;
    before = x;
    return [x, sum / weight];
  });
}

// Returns a series with its points as pairs: smoothed ones, and `raw` as they were logged.
function prepared(one, chart, length) {
  const points = pairs(one.points), band = pairs(one.band ?? [], 3);
  if (!chart.smooth || (one.style ?? "line") !== "line") return {...one, points, band, raw: []};
  const smooth = line => smoothed(line, chart.smooth, length);
  const lows = smooth(band.map(([x, low]) => [x, low]));
  const highs = smooth(band.map(([x, , high]) => [x, high]));
  return {...one, points: smooth(points), raw: band.length ? [] : points,
    band: lows.map(([x, low], at) => [x, low, highs[at][1]])};
}

function drawLines(chart, width) {
  const height = chart.height ?? (width > 600 ? 340 : 180);
  const steps = chart.series.flatMap(one => pairs(one.points).map(([x]) => x));
  const length = steps.reduce((most, x) => Math.max(most, x), -Infinity)
    - steps.reduce((least, x) => Math.min(least, x), Infinity);
  const [from, to] = chart.range ?? [-Infinity, Infinity];
  const seen = steps.filter(x => x >= from && x <= to);
  const inside = points => seen.length ? points.filter(([x]) => x >= from && x <= to) : points;
  const series = chart.series.map(one => prepared(one, chart, length)).map(one => ({...one,
    points: inside(one.points), raw: inside(one.raw), band: inside(one.band)}));
  const usable = ([, value]) => value !== null && (!chart.log || value > 0);
  const values = series.flatMap(one => [...one.points, ...one.raw,
    ...one.band.flatMap(([x, low, high]) => [[x, low], [x, high]])].filter(usable)
    .map(([, y]) => y));
  if (!series.some(one => one.points.some(usable)))
    return drawNothing(chart.log ? "no value above zero" : "no finite value");
  const across = numberAxis(seen.length ? seen : steps,
    {whole: true, room: 0, about: Math.min(Math.max(2, width / 65), 12)});
  const down = numberAxis(values, {log: chart.log, about: height / 36});
  const frame = frameOf(across, down, width, height);
  const dotted = series.every(one => one.points.length <= MARKED_POINTS);
  const floor = values.reduce((least, value) => Math.min(least, value), Infinity);
  for (const one of series) {
    if (one.band.length) frame.sheet.append(drawBand(one, floor, usable, frame));
    if (one.raw.length) frame.sheet.append(shape("g", {class: `faint ${one.look}`},
      linePath(one.raw, usable, frame)));
  }
  for (const one of series) frame.sheet.append(drawSeries(one, usable, frame, dotted));
  return withCrosshair(frame, chart, series.map(one => placesOf(one, usable, frame)));
}

function drawNothing(words) {
  return element("p", {class: "empty"}, words);
}

function linePath(points, usable, frame, style = "line") {
  const path = [];
  let pen = "M";
  for (const point of points) {
    if (!usable(point)) { pen = "M"; continue; }
    const x = frame.x(point[0]).toFixed(1), y = frame.y(point[1]).toFixed(1);
    if (pen === "M") path.push(`M${x} ${y}h0`);  // A lone point shows as the line's round end.
    else path.push(style === "stairs" ? `H${x}V${y}` : `L${x} ${y}`);
    pen = "L";
  }
  return shape("path", {class: "line", d: path.join("")});
}

function drawSeries({look, points, style = "line"}, usable, frame, dotted) {
  const group = shape("g", {class: look});
  const dots = points.filter(usable).map(([x, y]) =>
    shape("circle", {cx: frame.x(x).toFixed(1), cy: frame.y(y).toFixed(1), r: 2.5}));
  if (style !== "points") group.append(linePath(points, usable, frame, style));
  if (style === "points") group.setAttribute("opacity", 0.5);
  if (style !== "stairs") group.append(...(dotted || style === "points" ? dots : dots.slice(-1)));
  return group;
}

// Draws the area between a lowest and a highest value; on a logarithmic axis it ends at `floor`.
function drawBand({look, band}, floor, usable, frame) {
  const known = band.filter(([x, , high]) => usable([x, high]));
  const edge = (points, column) => points.map(point =>
    `${frame.x(point[0]).toFixed(1)} ${frame.y(Math.max(point[column], floor)).toFixed(1)}`);
  const outline = [...edge(known, 2), ...edge(known.toReversed(), 1)];
  return shape("path", {class: `band ${look}`, d: `M${outline.join("L")}Z`});
}

function placesOf({name, look, points, band}, usable, frame) {
  const range = new Map(band.map(([x, low, high]) => [x, [low, high]]));
  return points.filter(usable).map(([x, y]) =>
    ({name, look, step: x, value: y, range: range.get(x), x: frame.x(x), y: frame.y(y)}));
}

// Shows a line at the step beside the pointer, and the values of all series there.
function withCrosshair(frame, {x: axis}, places) {
  const known = places.filter(row => row.length);
  const reach = Math.max(12, 1.5 * Math.max(...known.map(row =>
    (row.at(-1).x - row[0].x) / Math.max(1, row.length - 1))));
  const find = (x, y) => {
    const near = known.map(row => closest(row, place => Math.abs(place.x - x)));
    const at = closest(near, place => Math.abs(place.x - x));
    const shown = near.filter(place => Math.abs(place.x - at.x) <= reach);
    return {at, shown, chosen: closest(shown, place => Math.abs(place.y - y))};
  };
  const mark = ({at, shown, chosen}) => shape("g", {},
    shape("path", {class: "cross", d: `M${at.x} ${frame.top}V${frame.bottom}`}),
    ...shown.map(place => shape("circle", {class: `near ${place.look}`, cx: place.x, cy: place.y,
      r: place === chosen ? 5 : 3})));
  const words = ({at, shown, chosen}) => places.length === 1
    ? `${axis} ${formatValue(at.step)}: ${formatValue(at.value)}`
      + (at.range ? ` (${at.range.map(formatValue).join(" to ")})` : "")
    : [`${axis} ${formatValue(at.step)}`, ...tipRows(at, shown, chosen)];
  return withZoom(frame, withTip(frame.sheet, find, mark, words));
}

// Tells the chart which part of it the mouse was dragged over.
function withZoom(frame, sheet) {
  const part = shape("rect", {class: "part", y: frame.top, height: frame.bottom - frame.top});
  const place = event => event.clientX - sheet.getBoundingClientRect().left;
  const tell = range =>
    sheet.dispatchEvent(new CustomEvent("zoom", {bubbles: true, detail: range}));
  let began = null;
  sheet.addEventListener("pointerdown", event => {
    if (event.pointerType === "mouse" && event.button === 0) began = place(event);
  });
  sheet.addEventListener("pointermove", event => {
    if (began === null) return;
    part.setAttribute("x", Math.min(began, place(event)));
    part.setAttribute("width", Math.abs(place(event) - began));
    sheet.append(part);
  });
  sheet.addEventListener("pointerup", event => {
    const ends = [began ?? place(event), place(event)].sort((one, other) => one - other);
    began = null;
    part.remove();
    if (ends[1] - ends[0] > LEAST_DRAG) tell(ends.map(frame.valueAt));
  });
  sheet.addEventListener("pointerleave", () => {
    began = null;
    part.remove();
  });
  sheet.addEventListener("dblclick", () => tell(null));
  return sheet;
}

// Returns a row for each series, the highest first; where there are many, those around `chosen`.
function tipRows(at, shown, chosen) {
  const sorted = shown.toSorted((one, other) => one.y - other.y);
  const first = Math.max(0, Math.min(sorted.indexOf(chosen) - Math.floor(MOST_TIP_ROWS / 2),
    sorted.length - MOST_TIP_ROWS));
  const rows = sorted.slice(first, first + MOST_TIP_ROWS);
  const decimals = decimalsApart(rows.flatMap(({value, range = []}) => [value, ...range]));
  const tell = value => formatNumber(value, decimals);
  const left = sorted.length - rows.length;
  return [...rows.map(place => element("div", {class: place === chosen ? "row chosen" : "row"},
    swatch(place.look), element("span", {class: "name"}, place.name),
    element("b", {}, tell(place.value)),
    place.range ? ` ${tell(place.range[0])} to ${tell(place.range[1])}` : "",
    place.step === at.step ? "" : ` at ${formatValue(place.step)}`)),
  ...(left ? [element("div", {}, `and ${left} more`)] : [])];
}

// Returns a short piece of a series' line, for lists.
function swatch(look) {
  return shape("svg", {width: 22, height: 10, "aria-hidden": "true", class: `swatch ${look}`},
    shape("path", {class: "line", d: "M1 5H21"}));
}
