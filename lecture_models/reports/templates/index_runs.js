// Holds the runs of the index and what the reader has chosen; the page's address holds the choice.

"use strict";
/* exported AFTER, BEFORE, STATUS, TITLES, VALUES, byId, choice, collator, goals, readChoice */
/* exported runs, shownRuns, swept, valueOf, writeChoice */

const BEFORE = ["run", "experiment", "status", "seed"];
const AFTER = ["preset", "started", "data", "device"];
const FIXED = [...BEFORE, ...AFTER];
const TITLES = new Map(FIXED.map(key => [key, key[0].toUpperCase() + key.slice(1)]));
const STATUS = {running: "running, or killed", unknown: "no summary"};
const VALUES = {last: "", best: "best", min: "lowest", max: "highest"};  // Of a metric, in words.
const MOST_SELECTED = 10;  // Of the newest experiment, before the reader selects any run.
const CONDITION = /^([^<>=!]+)(<=|>=|!=|<|>|=)(.*)$/;

const byId = id => document.getElementById(id);
const {runs, goals, swept} = JSON.parse(byId("data").textContent);
runs.forEach((run, index) => {
  run.index = index;
  const settings = Object.entries(run.settings).map(([name, value]) => `${name}=${value}`);
  run.text = [...FIXED.map(key => run[key]), run.note, run.fallback ? "fallback" : "", ...settings]
    .join(" ").toLowerCase();
});
const byName = new Map(runs.map(run => [run.run, run]));
const collator = new Intl.Collator("en", {numeric: true});
let choice;

// Returns what a run has in column `key`: a fact, a value of a metric, or a setting.
function valueOf(run, key) {
  if (key === "started") return Date.parse(run.started) || undefined;
  if (TITLES.has(key)) return run[key];
  if (Object.hasOwn(run.metrics, key)) return metricOf(run, key);
  const setting = key.startsWith("config/") ? key.slice(7) : "";
  return setting && Object.hasOwn(run.settings, setting) ? run.settings[setting] : undefined;
}

// Returns the last, lowest, highest or best value of a metric, as the reader chose.
function metricOf(run, key) {
  const best = {minimize: "min", maximize: "max"}[goals[key]];
  const wanted = choice.value === "best" ? best : choice.value;
  const ends = run.ends[key];
  if (!ends || wanted === "last" || !wanted) return Number(run.metrics[key]);
  return ends[wanted === "min" ? 0 : 1];
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
    value: Object.hasOwn(VALUES, text("value")) ? text("value") : "last",
    columns: words.has("column") ? words.getAll("column").filter(Boolean) : null,
    metrics: words.has("metric") ? words.getAll("metric").filter(Boolean) : null,
    log: words.get("log") === "1", smooth: Math.min(Math.max(0, Number(text("smooth")) || 0), 0.99),
    group: text("group"), band: text("band") || "range", image: text("image"),
    selecting: words.has("run"), selected: new Set(words.has("run") ? named : newest),
  };
}

function writeChoice() {
  const words = new URLSearchParams();
  const usual = {value: "last", band: "range", smooth: 0};
  for (const key of ["filter", "experiment", "status", "value", "group", "band", "smooth", "image"])
    if (choice[key] && choice[key] !== usual[key]) words.set(key, choice[key]);
  if (choice.sort !== "started" || !choice.down) {
    words.set("sort", choice.sort);
    words.set("down", choice.down ? "1" : "0");
  }
  if (choice.log) words.set("log", "1");
  for (const [key, names] of [["column", choice.columns], ["metric", choice.metrics]])
    for (const name of names?.length === 0 ? [""] : names ?? []) words.append(key, name);
  if (choice.selecting) {
    for (const run of choice.selected) words.append("run", run.run);
    if (!choice.selected.size) words.append("run", "");
  }
  history.replaceState(null, "", "#" + words);
}

// Returns a test for each word of the filter: a text, "a quoted text", or a condition such as
// learning_rate<0.01 on a setting, a metric or a fact.
function testsOf(filter) {
  return [...filter.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => {
    const [, name, sign, wanted] = quoted === undefined && CONDITION.exec(word) || [];
    const key = name && [name, `config/${name}`, `eval/${name}`, `train/${name}`].find(key =>
      runs.some(run => valueOf(run, key) !== undefined));
    if (key && wanted) return run => compares(valueOf(run, key), sign, wanted);
    const text = (quoted ?? word).toLowerCase();
    return run => run.text.includes(text);
  });
}

function compares(value, sign, wanted) {
  if (value === undefined || value === null) return sign === "!=";
  const number = typeof value === "number" && wanted !== "" && !Number.isNaN(Number(wanted));
  const order = number ? value - Number(wanted)
    : collator.compare(String(value).toLowerCase(), wanted.toLowerCase());
  return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0, "=": order === 0,
    "!=": order !== 0}[sign];
}

// Returns the runs that pass the filters, sorted; a run without a value comes last.
function shownRuns() {
  const tests = testsOf(choice.filter);
  const passing = runs.filter(run => tests.every(test => test(run))
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
