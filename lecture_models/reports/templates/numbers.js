// Formats numbers, and chooses the ticks of an axis and their labels.

"use strict";
/* exported formatNumber, formatValue, linearMarks, logMarks */

// Returns four significant digits, or all digits of a whole number, as `html.number` in Python.
// A choice is returned as it is.
function formatNumber(value) {
  if (typeof value !== "number") return String(value);
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "-\u221e";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString("en");
  if (size < 1e-3 || size >= 1e6) return value.toExponential(3);
  return withDecimals(value, Math.max(0, 3 - Math.floor(Math.log10(size))));
}

// Returns all digits that the page has of a value: for the value under the pointer.
function formatValue(value) {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e15)) return Number(value.toPrecision(9)).toString();
  return value.toLocaleString("en", {maximumSignificantDigits: 9});
}

function withDecimals(value, decimals) {
  return value.toLocaleString("en",
    {minimumFractionDigits: decimals, maximumFractionDigits: decimals});
}

// Returns about `about` round numbers from `low` to `high`, each with its label. The distance of
// two numbers decides how many digits a label has, so that no two labels are equal.
function linearMarks(low, high, about, leastStep = 0) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const sizes = [1, 2, 5, 10].map(size => size * power);
  const step = Math.max(sizes.find(size => size >= rough * 0.999), leastStep);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  const values = Array.from({length: Math.max(0, last - first + 1)},
    (_, index) => (first + index) * step);
  return values.map(value => [value, label(value, step, Math.max(Math.abs(low), Math.abs(high)))]);
}

// Returns powers of ten from `low` to `high` with their labels, and 2 and 5 times those where there
// are few; within one power of ten, equally spaced numbers.
function logMarks(low, high, about) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const parts = last - first > about - 1 ? [1] : [1, 2, 5];
  const stride = Math.max(1, Math.ceil((last - first) / about));
  const marks = [];
  for (let power = first; power <= last; power += stride)
    for (const part of parts) {
      const value = Number(`${part}e${power}`);
      if (value >= low && value <= high) marks.push([value, label(value, value, value)]);
    }
  return marks.length > 1 ? marks : linearMarks(low, high, about);
}

// Returns a label with all digits down to those of `step`, in the unit that suits `largest`.
function label(value, step, largest) {
  const size = Math.floor(Math.log10(largest) + 1e-9);
  const finest = Math.floor(Math.log10(step) + 1e-9);
  if (value === 0) return "0";
  if (size < -3 || size >= 9) {
    const own = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
    return value.toExponential(Math.min(20, Math.max(0, own - finest))).replace("e+", "e");
  }
  const [unit, power] = size >= 6 ? ["M", 6] : size >= 4 ? ["k", 3] : ["", 0];
  return withDecimals(value / 10 ** power, Math.max(0, power - finest)) + unit;
}
