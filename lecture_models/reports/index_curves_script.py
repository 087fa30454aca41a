"""The index's script, first part: elements, numbers, overlaid curves, pictures side by side."""

CURVES_SCRIPT = r"""
const SVG = "http://www.w3.org/2000/svg";
const $ = id => document.getElementById(id);
const LEFT = 58, RIGHT = 16, TOP = 10, BOTTOM = 28, HEIGHT = 340, HUES = 8, DASHES = 4;
const FEW = 2 * 3, MARKED = 40, MOST_PICTURED = 24;
let points;

function fill(made, attributes, children) {
  for (const [name, given] of Object.entries(attributes)) made.setAttribute(name, given);
  made.append(...children.map(child => child instanceof Node ? child : String(child)));
  return made;
}
const element = (name, attributes, ...children) =>
  fill(document.createElement(name), attributes, children);
const drawn = (name, attributes, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

// Four significant digits; whole numbers in full.
function number(value) {
  if (!Number.isFinite(value))
    return Number.isNaN(value) ? "NaN" : value > 0 ? "\u221e" : "-\u221e";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString("en");
  if (size < 1e-3 || size >= 1e6) return value.toExponential(3);
  const digits = Math.max(0, 3 - Math.floor(Math.log10(size)));
  return value.toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits});
}

function label(value) {
  const size = Math.abs(value);
  if (size >= 1e3 && size < 1e6) return Number((value / 1e3).toPrecision(4)) + "k";
  if (size >= 1e6 && size < 1e9) return Number((value / 1e6).toPrecision(4)) + "M";
  return String(Number(value.toPrecision(4)));
}

// Round numbers from low to high, some `about` of them.
function ticks(low, high, about) {
  const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(size => size * power).find(size => size >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({length: Math.max(0, last - first + 1)}, (_, index) => (first + index) * step);
}

// Powers of ten, with their halves and fifths where there are few; round numbers within one.
function logTicks(low, high) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const parts = last - first > 4 ? [1] : [1, 2, 5], every = Math.ceil((last - first) / 8);
  const found = [];
  for (let power = first; power <= last; power += every)
    found.push(...parts.map(part => Number(`${part}e${power}`)));
  const inside = found.filter(each => each >= low && each <= high);
  return inside.length > 1 ? inside : ticks(low, high, 4);
}

function curveOf(run, metric) {
  points ??= JSON.parse($("points").textContent);
  const flat = Object.hasOwn(points[run.index], metric) ? points[run.index][metric] : [];
  return Array.from({length: flat.length / 2}, (_, at) => [flat[2 * at], flat[2 * at + 1]]);
}

// Every metric of the runs that has a curve, evaluations first; the one that is asked for, else the
// one of which most runs have more than a few points.
function chooseMetric(ticked, asked) {
  points ??= JSON.parse($("points").textContent);
  const counts = new Map(), names = new Set();
  for (const run of ticked)
    for (const [name, flat] of Object.entries(points[run.index])) {
      names.add(name);
      counts.set(name, (counts.get(name) ?? 0) + (flat.length > FEW ? 1 : 0.001));
    }
  const rank = name => (name.startsWith("eval/") ? 0 : 1);
  const sorted = [...names].sort((one, other) => rank(one) - rank(other));
  const most = [...sorted].sort((one, other) => counts.get(other) - counts.get(one))[0];
  return [sorted, names.has(asked) ? asked : most ?? ""];
}

function options(select, names, chosen, first = []) {
  const made = [...first, ...names.map(name => [name, name])]
    .map(([key, words]) => element("option", {value: key}, words));
  select.replaceChildren(...made);
  select.value = chosen;
}

function drawCurves(ticked, state, untick) {
  const [names, metric] = chooseMetric(ticked, state.metric);
  options($("metric"), names, metric);
  const curves = ticked.map(run => ({run, line: curveOf(run, metric)}))
    .filter(({line}) => line.length)
    .map((curve, at) => ({...curve, at,
      look: `c${at % HUES} d${Math.floor(at / HUES) % DASHES}`}));
  const usable = ([, value]) => value !== null && (!state.log || value > 0);
  const flat = curves.flatMap(({line}) => line.filter(usable));
  const hint = !ticked.length ? "Tick runs in the table to see their curves."
    : !curves.length ? "The ticked runs have logged no curve."
    : state.log ? "No value above zero." : "No finite value.";
  $("chart").replaceChildren(flat.length ? chart(curves, flat, metric, state.log, usable)
    : element("p", {class: "hint"}, hint));
  $("legend").replaceChildren(...curves.map(curve => legendItem(curve, untick)));
}

function chart(curves, flat, metric, log, usable) {
  const width = Math.max(300, $("chart").clientWidth - 28);
  let left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
  for (const [step, value] of flat) {
    left = Math.min(left, step); right = Math.max(right, step);
    low = Math.min(low, value); high = Math.max(high, value);
  }
  right = Math.max(right, left + 1);
  const scale = log ? Math.log10 : value => value;
  let [bottom, top] = [scale(low), scale(high)];
  let room = (top - bottom) * 0.05;
  if (room <= 1e-9 * Math.max(Math.abs(top), Math.abs(bottom)))
    room = Math.abs(bottom) * 0.1 || 1;
  bottom -= room; top += room;
  const across = step => LEFT + (step - left) / (right - left) * (width - LEFT - RIGHT);
  const down = value => TOP + (top - scale(value)) / (top - bottom) * (HEIGHT - TOP - BOTTOM);
  const sheet = drawn("svg", {viewBox: `0 0 ${width} ${HEIGHT}`, role: "img",
    "aria-label": `${metric} over steps, ${curves.length} runs`});
  const marks = log ? logTicks(10 ** bottom, 10 ** top) : ticks(bottom, top, 6);
  for (const value of marks) sheet.append(
    drawn("path", {class: "grid", d: `M${LEFT} ${down(value)}H${width - RIGHT}`}),
    drawn("text", {x: LEFT - 8, y: down(value) + 3.5, "text-anchor": "end"}, label(value)));
  for (const step of ticks(left, right, Math.max(3, width / 130)).filter(Number.isInteger))
    sheet.append(
      drawn("path", {class: "tick", d: `M${across(step)} ${HEIGHT - BOTTOM}v4`}),
      drawn("text", {x: across(step), y: HEIGHT - 8, "text-anchor": "middle"}, label(step)));
  sheet.append(
    drawn("path", {class: "axis", d: `M${LEFT} ${HEIGHT - BOTTOM}H${width - RIGHT}`}));
  const marked = curves.every(({line}) => line.length <= MARKED);
  for (const curve of curves) sheet.append(path(curve, across, down, usable, marked));
  return sheet;
}

function path({run, line, look}, across, down, usable, marked) {
  const parts = [], dots = [];
  let pen = "M";
  for (const [step, value] of line) {
    if (!usable([step, value])) { pen = "M"; continue; }
    const at = [across(step).toFixed(1), down(value).toFixed(1)];
    parts.push(`${pen}${at.join(" ")}${pen === "M" ? "h0" : ""}`);
    dots.push(drawn("circle", {cx: at[0], cy: at[1], r: 2.6},
      drawn("title", {}, `${run.run}, step ${step.toLocaleString("en")}: ${number(value)}`)));
    pen = "L";
  }
  return drawn("g", {class: look}, drawn("path", {class: `line ${look}`, d: parts.join("")},
    drawn("title", {}, run.run)), ...(marked ? dots : dots.slice(-1)));
}

function legendItem({run, line, look, at}, untick) {
  const swatch = drawn("svg", {width: 26, height: 10, "aria-hidden": "true"},
    drawn("path", {class: `line ${look}`, d: "M1 5H25", "stroke-width": 3}));
  const name = run.report ? element("a", {href: run.href + "/report.html"}, run.run) : run.run;
  const last = line.at(-1)[1];
  const button = element("button", {type: "button", "aria-label": `untick ${run.run}`}, "\u00d7");
  button.addEventListener("click", () => {
    untick(run);
    const left = $("legend").querySelectorAll("button");
    (left[Math.min(at, left.length - 1)] ?? $("metric")).focus();
  });
  return element("li", {class: look}, swatch, element("span", {class: "name"}, name),
    element("span", {class: "last"}, last === null ? "not finite" : number(last)), button);
}

function drawPictures(ticked, state) {
  const having = ticked.filter(run => run.pictures.length);
  const names = [...new Set(having.flatMap(run => run.pictures.map(([name]) => name)))];
  const chosen = names.includes(state.picture) ? state.picture : "";
  options($("picture"), names, chosen, [["", "all"]]);
  const some = having.slice(0, MOST_PICTURED);
  const cards = names.filter(name => !chosen || name === chosen).map(name =>
    element("div", {class: "card pictures"}, element("h3", {}, name),
      element("div", {class: "side"}, ...some.flatMap(run => figures(run, name)))));
  if (some.length < having.length) cards.unshift(element("p", {class: "hint"},
    `The first ${some.length} of ${having.length} ticked runs with pictures.`));
  if (!cards.length) cards.push(element("p", {class: "hint"}, ticked.length
    ? "The ticked runs have no pictures." : "Tick runs in the table to see their pictures."));
  $("grids").replaceChildren(...cards);
}

function figures(run, wanted) {
  return run.pictures.filter(([name]) => name === wanted).map(([name, step, file]) => {
    const source = `${run.href}/images/${file}`;
    const image = element("img", {src: source, loading: "lazy",
      alt: `${name} of ${run.run}, step ${step}`});
    return element("figure", {}, element("a", {href: source}, image),
      element("figcaption", {}, `${run.run} \u00b7 step ${step.toLocaleString("en")}`));
  });
}
"""
