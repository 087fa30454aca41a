// Groups the selected runs into lines of a chart: one for each run, or means over groups of runs.

"use strict";
/* global choice, pairs, runs, valueOf */
/* exported averaged, groupChoices, linesOf, meanAndStd */

const HUES = 8, DASHES = 4;  // Of `index.css`: 32 lines look different.

// Returns a line for each run, or for each group of runs: {name, look, runs}.
function linesOf(selected) {
  const shared = sharedFolder(selected);
  const lines = choice.group ? groupsOf(selected)
    : selected.map(run => ({name: run.run.slice(shared.length), runs: [run]}));
  return lines.map((line, at) =>
    ({...line, look: `c${at % HUES} d${Math.floor(at / HUES) % DASHES}`}));
}

// Returns the folders that the names of all runs begin with.
function sharedFolder(selected) {
  if (selected.length < 2) return "";
  const [first, ...others] = selected.map(run => run.run.split("/").slice(0, -1));
  const same = first.findIndex((part, at) => others.some(other => other[at] !== part));
  const shared = (same < 0 ? first : first.slice(0, same)).join("/");
  return shared && shared + "/";
}

function groupsOf(selected) {
  const groups = new Map();
  for (const run of selected) {
    const value = choice.group === "seed" ? run.group : valueOf(run, choice.group);
    const key = JSON.stringify([choice.group === "seed" || run.experiment, value ?? null]);
    groups.set(key, [...groups.get(key) ?? [], run]);
  }
  const names = settingsThatDiffer([...groups.values()]);
  return [...groups.values()].map(members => ({name: groupName(members, names), runs: members}));
}

// Returns the settings that are the same within each group, and differ between groups.
function settingsThatDiffer(groups) {
  const names = new Set(groups.flat().flatMap(run => Object.keys(run.settings)));
  return [...names].filter(name => {
    const values = groups.map(members => new Set(members.map(run => run.settings[name])));
    return values.every(set => set.size === 1) && new Set(values.flatMap(set => [...set])).size > 1;
  });
}

function groupName(members, names) {
  const [first] = members;
  const settings = names.filter(name => first.settings[name] !== undefined)
    .map(name => `${name}=${first.settings[name]}`);
  const name = choice.group === "seed"
    ? [first.experiment, ...settings].join(", ")
    : choice.group === "experiment" ? first.experiment
      : `${choice.group.replace(/^config\//, "")}=${valueOf(first, choice.group) ?? "none"}`;
  return `${name} (${members.length} run${members.length === 1 ? "" : "s"})`;
}

// Returns by what the runs can be grouped, as values and words of a menu.
function groupChoices() {
  const settings = [...new Set(runs.flatMap(run => Object.keys(run.settings)))].sort();
  return [["", "each run"], ["seed", "seeds of the same config"], ["experiment", "experiment"],
    ["preset", "preset"], ...settings.map(name => [`config/${name}`, name])];
}

// Returns the mean of several curves and a band about it, both flat. Between its points a curve is
// interpolated; beyond its ends it does not count.
function averaged(curves, kind) {
  const lines = curves.map(flat => pairs(flat).filter(([, value]) => value !== null));
  const steps = [...new Set(lines.flatMap(line => line.map(([step]) => step)))]
    .sort((one, other) => one - other);
  const cursors = lines.map(() => 0), points = [], band = [];
  for (const step of steps) {
    const values = lines.map((line, at) => {
      while (cursors[at] < line.length - 1 && line[cursors[at] + 1][0] <= step) cursors[at]++;
      return valueAt(line, cursors[at], step);
    }).filter(value => value !== null);
    const {mean, std} = meanAndStd(values);
    points.push(step, mean);
    if (kind === "range") band.push(step, Math.min(...values), Math.max(...values));
    if (kind === "std") band.push(step, mean - (std ?? 0), mean + (std ?? 0));
  }
  return {points, band};
}

function valueAt(line, at, step) {
  if (!line.length || step < line[0][0] || step > line.at(-1)[0]) return null;
  const [[x, y], [next, after]] = [line[at], line[at + 1] ?? line[at]];
  return x === step || next === x ? y : y + (after - y) * (step - x) / (next - x);
}

// Returns mean and sample standard deviation (n - 1); std is null for one value.
function meanAndStd(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {mean, std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null};
}
