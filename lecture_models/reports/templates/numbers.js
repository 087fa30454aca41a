// Formats numbers by the same rules as `html.py`, and chooses the ticks of an axis.

"use strict";
/* exported decimalsApart, formatCell, formatNumber, formatSpread, formatValue, linearMarks */
/* exported logMarks */

const DIGITS = 4, MOST_DIGITS = 9;  // Significant; a float32 has no more.
const FEWEST = -400;  // Decimals: none are asked for. Negative ones count digits before the point.
const WIDEST = 12;  // Digits of a mean that is shown beside its standard deviation.
const formats = new Map();  // Of the browser, by the number of decimals: making one is slow.

const powerOf = value => value ? Math.floor(Math.log10(Math.abs(value)) + 1e-12) : FEWEST;
const isWhole = value => Number.isInteger(value) && Math.abs(value) < 1e15;

// Returns four significant digits, or all digits of a whole number, and at least `decimals` digits
// after the point. A choice is returned as it is.
function formatNumber(value, decimals = FEWEST) {
  if (typeof value !== "number") return String(value);
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "-\u221e";
  if (!isWhole(value)) value = Number(value.toPrecision(MOST_DIGITS));
  if (value === 0 || isWhole(value) && decimals <= 0) return withDecimals(value + 0, 0);
  const power = powerOf(value);
  const shown = Math.max(Math.min(decimals, MOST_DIGITS - 1 - power), DIGITS - 1 - power);
  if (power >= -4 && power < 6 || decimals >= 0 && power >= 6 && power < MOST_DIGITS)
    return withDecimals(value, Math.max(0, shown));
  return value.toExponential(power + shown).replace("e+", "e");
}

// Returns how many decimals tell the values apart; see `html.apart`.
function decimalsApart(values) {
  const rounded = [...new Set(values.filter(Number.isFinite)
    .map(value => Number(value.toPrecision(MOST_DIGITS))))].sort((one, other) => one - other);
  let needed = FEWEST;
  for (let at = 1; at < rounded.length; at++) {
    const [low, high] = [rounded[at - 1], rounded[at]], size = Math.log10(high - low);
    if (isWhole(low) && isWhole(high)) continue;
    if (size > Math.max(powerOf(low), powerOf(high)) - DIGITS + 1 - 1e-6) continue;
    const decimals = Math.ceil(-size - 1e-6);
    // Both may be rounded to the number between them.
    const same = formatNumber(low, decimals) === formatNumber(high, decimals);
    needed = Math.max(needed, decimals + (same ? 1 : 0));
  }
  return needed;
}

// Returns a mean and its standard deviation, with at least two digits of the latter in both.
function formatSpread(mean, std) {
  if (!std || !Number.isFinite(std) || !Number.isFinite(mean))
    return [formatNumber(mean), formatNumber(std)];
  const size = powerOf(std), power = mean ? powerOf(mean) : size + 2;
  const decimals = Math.max(0, 1 - size, Math.min(DIGITS - 1 - power, DIGITS - 1 - size));
  if (power < 6 && decimals + Math.max(0, power) < WIDEST && Math.max(power, size) >= -4)
    return [withDecimals(mean, decimals), withDecimals(std, decimals)];
  return [formatNumber(mean, -size), formatNumber(std)];
}

// Returns a setting: a number that four digits write exactly as it is, others as `formatNumber`.
function formatCell(value, decimals = FEWEST) {
  const short = typeof value === "number" && Number(value.toPrecision(DIGITS)) === value;
  return short ? String(value) : formatNumber(value, decimals);
}

// Returns all digits that the page has of a value: for the value under the pointer.
function formatValue(value) {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e15)) return Number(value.toPrecision(9)).toString();
  return value.toLocaleString("en", {maximumSignificantDigits: 9});
}

function withDecimals(value, decimals) {
  if (!formats.has(decimals)) formats.set(decimals, new Intl.NumberFormat("en",
    {minimumFractionDigits: decimals, maximumFractionDigits: decimals, roundingMode: "halfEven"}));
  return formats.get(decimals).format(value);
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
function logMarks(low, high, about, leastStep = 0) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const parts = last - first > about - 1 ? [1] : [1, 2, 5];
  const stride = Math.max(1, Math.ceil((last - first) / about));
  const marks = [];
  for (let power = first; power <= last; power += stride)
    for (const part of parts) {
      const value = Number(`${part}e${power}`);
      if (value >= Math.max(low, leastStep) && value <= high)
        marks.push([value, label(value, value, value)]);
    }
  return marks.length > 1 ? marks : linearMarks(low, high, about, leastStep);
}

// Returns a label with all digits down to those of `step`, in the unit that suits `largest`.
function label(value, step, largest) {
  const size = Math.floor(Math.log10(largest) + 1e-9);
  const finest = Math.floor(Math.log10(step) + 1e-9);
  if (value === 0) return "0";
  if (size < -4 || size >= 9) {
    const own = powerOf(value);
    return value.toExponential(Math.min(20, Math.max(0, own - finest))).replace("e+", "e");
  }
  const [unit, power] = size >= 6 ? ["M", 6] : size >= 4 ? ["k", 3] : ["", 0];
  return withDecimals(value / 10 ** power, Math.max(0, power - finest)) + unit;
}
