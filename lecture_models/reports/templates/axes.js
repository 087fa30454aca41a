// Makes elements, and the axes that all charts share.

"use strict";
/* global linearMarks, logMarks */
/* exported axisOf, element, frameOf, numberAxis, shape, shortened */

const SVG = "http://www.w3.org/2000/svg";  // A name; nothing is fetched.
const DIGIT = 6.4;  // Width of a digit of an axis, in pixels.

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map(child => child instanceof Node ? child : String(child)));
  return node;
}

function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function shape(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

// Axes: each maps a value to its share of the axis, from 0 to 1, and has tick marks.

function numberAxis(values, {log = false, whole = false, room = 0.05, about = 4} = {}) {
  const scale = log ? Math.log10 : value => value;
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  [low, high] = [scale(low), scale(high)];
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= 1e-9 * size || high === low) {  // Constant: rounding would fill the axis.
    const margin = size * 0.1 || 1;
    [low, high] = whole ? [low, low + 1] : [low - margin, high + margin];
  } else {
    [low, high] = [low - room * (high - low), high + room * (high - low)];
  }
  const place = value => (scale(value) - low) / (high - low);
  const marks = log ? logMarks(10 ** low, 10 ** high, about, whole ? 1 : 0)
    : linearMarks(low, high, about, whole ? 1 : 0);
  const valueAt = share => low + share * (high - low);  // Of a linear axis.
  return {place, valueAt, marks: marks.map(([value, label]) => [place(value), label])};
}

function choiceAxis(values) {
  const names = [...new Set(values.map(String))]
    .sort(new Intl.Collator("en", {numeric: true}).compare);
  const places = new Map(names.map((name, index) => [name, (index + 0.5) / names.length]));
  const marks = [...places].map(([name, share]) => [share, shortened(name, 14)])
    .filter((_, index) => index % Math.ceil(names.length / 12) === 0);
  return {place: value => places.get(String(value)), marks};
}

function axisOf({values, log, whole}, about) {
  if (!values.every(value => typeof value === "number")) return choiceAxis(values);
  return numberAxis(values, {log: log && Math.min(...values) > 0, whole, about});
}

function shortened(name, most) {
  return name.length <= most ? name : name.slice(0, most - 1) + "\u2026";
}

// A frame is what the axes leave of a sheet: it maps values to pixels.

function frameOf(across, down, width, height) {
  const longest = Math.max(2, ...down.marks.map(([, label]) => label.length));
  const left = longest * DIGIT + 12, right = 14, top = 10, bottom = 26;
  const x = value => left + across.place(value) * (width - left - right);
  const y = value => top + (1 - down.place(value)) * (height - top - bottom);
  const sheet = shape("svg", {width, height, viewBox: `0 0 ${width} ${height}`, role: "img"});
  for (const [share, label] of down.marks) {
    const at = top + (1 - share) * (height - top - bottom);
    sheet.append(shape("path", {class: "grid", d: `M${left} ${at}H${width - right}`}),
      shape("text", {x: left - 6, y: at + 3.5, "text-anchor": "end"}, label));
  }
  sheet.append(shape("path", {class: "axis", d: `M${left} ${height - bottom}H${width - right}`}));
  let free = 0;  // Labels that would overlap the one before are not written.
  for (const [share, label] of across.marks) {
    const at = left + share * (width - left - right), half = label.length * DIGIT / 2;
    const middle = Math.min(Math.max(at, half), width - half);
    sheet.append(shape("path", {class: "tick", d: `M${at} ${height - bottom}v4`}));
    if (middle - half < free) continue;
    free = middle + half + 6;
    sheet.append(shape("text", {x: middle, y: height - 8, "text-anchor": "middle"}, label));
  }
  const valueAt = pixel => across.valueAt((pixel - left) / (width - left - right));
  return {sheet, x, y, valueAt, top, bottom: height - bottom};
}
