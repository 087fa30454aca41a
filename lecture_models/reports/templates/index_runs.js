// Holds the runs of the index and what the reader has chosen; the page's address holds the choice.

"use strict";
/* exported AFTER, BEFORE, STATUS, TITLES, byId, choice, collator, readChoice, runs, shownRuns */
/* exported valueOf, writeChoice */

const BEFORE = ["run", "experiment", "status", "preset", "seed"];
const AFTER = ["started", "data", "device"];
const FIXED = [...BEFORE, ...AFTER];
const TITLES = new Map(FIXED.map(key => [key, key[0].toUpperCase() + key.slice(1)]));
const STATUS = {running: "running, or killed", unknown: "no summary"};
const MOST_SELECTED = 5;  // Of the newest experiment, before the reader selects any run.

const byId = id => document.getElementById(id);
const runs = JSON.parse(byId("data").textContent);
runs.forEach((run, index) => {
  run.index = index;
  run.text = [...FIXED.map(key => run[key]), run.note, run.fallback ? "fallback" : ""]
    .join(" ").toLowerCase();
});
const byName = new Map(runs.map(run => [run.run, run]));
const collator = new Intl.Collator("en", {numeric: true});
let choice;

// Returns what a run has in column `key`: a fact, the last value of a metric, or a setting.
function valueOf(run, key) {
  if (key === "started") return Date.parse(run.started) || undefined;
  if (TITLES.has(key)) return run[key];
  if (Object.hasOwn(run.metrics, key)) return Number(run.metrics[key]);
  const setting = key.startsWith("config/") ? key.slice(7) : "";
  return setting && Object.hasOwn(run.settings, setting) ? run.settings[setting] : undefined;
}

function readChoice() {
  const words = new URLSearchParams(location.hash.slice(1));
  const text = key => words.get(key) ?? "";
  const newest = runs.filter(run => run.experiment === runs[0].experiment).slice(0, MOST_SELECTED);
  const named = words.getAll("run").map(name => byName.get(name)).filter(Boolean);
  choice = {
    filter: text("filter"), experiment: text("experiment"), status: text("status"),
    sort: words.get("sort") ?? "started",
    down: words.has("down") ? words.get("down") === "1" : !words.has("sort"),
    columns: words.has("column") ? words.getAll("column").filter(Boolean) : null,
    metric: text("metric"), log: words.get("log") === "1", image: text("image"),
    selecting: words.has("run"), selected: new Set(words.has("run") ? named : newest),
  };
}

function writeChoice() {
  const words = new URLSearchParams();
  for (const key of ["filter", "experiment", "status", "metric", "image"])
    if (choice[key]) words.set(key, choice[key]);
  if (choice.sort !== "started" || !choice.down) {
    words.set("sort", choice.sort);
    words.set("down", choice.down ? "1" : "0");
  }
  if (choice.log) words.set("log", "1");
  for (const name of choice.columns ?? []) words.append("column", name);
  if (choice.columns && !choice.columns.length) words.append("column", "");
  if (choice.selecting) {
    for (const run of choice.selected) words.append("run", run.run);
    if (!choice.selected.size) words.append("run", "");
  }
  history.replaceState(null, "", "#" + words);
}

// Returns the runs that pass the filters, sorted; a run without a value comes last.
function shownRuns() {
  const words = choice.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const passing = runs.filter(run => words.every(word => run.text.includes(word))
    && (!choice.experiment || run.experiment === choice.experiment)
    && (!choice.status || run.status === choice.status));
  const sign = choice.down ? -1 : 1;
  const absent = value => [undefined, null, ""].includes(value) || Number.isNaN(value);
  const keyed = passing.map(run => [valueOf(run, choice.sort), run]);
  keyed.sort(([left, one], [right, other]) => {
    if (absent(left) || absent(right))
      return absent(left) - absent(right) || one.index - other.index;
    const numbers = typeof left === "number" && typeof right === "number";
    const order = numbers ? left - right : collator.compare(String(left), String(right));
    return sign * order || one.index - other.index;
  });
  return keyed.map(([, run]) => run);
}
