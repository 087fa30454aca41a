// Draws the table of runs. Texts of runs enter the page as text nodes, never as HTML.

"use strict";
/* global AFTER, BEFORE, STATUS, TITLES, byId, choice, collator, element, formatNumber, runs */
/* global shownRuns, valueOf */
/* exported drawTable, showAllRows, fillChoices */

const MOST_ROWS = 200, MOST_COLUMNS = 4;
let all = false, headed = "";

function showAllRows() {
  all = true;
  drawTable();
}

// Returns the columns: the fixed ones, and between them what the reader chose, else metrics.
function columnsOf(shown) {
  const names = choice.columns ?? usefulMetrics(shown);
  const sorted = TITLES.has(choice.sort) || names.includes(choice.sort) ? [] : [choice.sort];
  return [...BEFORE, ...sorted, ...names, ...AFTER];
}

// Returns metrics such that most runs have a number in their row, evaluations before training.
function usefulMetrics(shown) {
  const having = new Map(), covered = new Set(), names = [];
  for (const run of shown) {
    const every = Object.keys(run.metrics);
    const evaluated = every.filter(name => name.startsWith("eval/"));
    for (const name of evaluated.length ? evaluated : every)
      if (having.has(name)) having.get(name).push(run);
      else having.set(name, [run]);
  }
  const worth = members => members.filter(run => !covered.has(run)).length + members.length / 1e6;
  while (names.length < MOST_COLUMNS && having.size) {
    const [name, members] = [...having].reduce((one, other) =>
      worth(other[1]) > worth(one[1]) ? other : one);
    names.push(name);
    having.delete(name);
    members.forEach(run => covered.add(run));
  }
  return names;
}

function drawTable() {
  const shown = shownRuns(), keys = columnsOf(shown);
  drawHead(keys);
  const rows = all ? shown : shown.slice(0, MOST_ROWS);
  byId("table").tBodies[0].replaceChildren(...rows.map(run => rowOf(run, keys)));
  byId("every").checked = shown.length > 0 && shown.every(run => choice.selected.has(run));
  byId("count").textContent = `${shown.length.toLocaleString("en")} of `
    + `${runs.length.toLocaleString("en")} runs, ${choice.selected.size} selected`;
  byId("more").hidden = rows.length === shown.length;
  byId("more").textContent = `Show all ${shown.length.toLocaleString("en")} rows`;
}

function drawHead(keys) {
  const head = byId("table").tHead;
  if (headed !== keys.join("\n")) {
    const focused = document.activeElement?.dataset?.key;
    const line = element("tr", {}, element("th", {}, element("input",
      {type: "checkbox", id: "every", "aria-label": "select all runs of the table"})));
    line.append(...keys.map(headOf));
    head.replaceChildren(line);
    headed = keys.join("\n");
    if (focused) [...head.querySelectorAll("button")]
      .find(button => button.dataset.key === focused)?.focus();
  }
  for (const button of head.querySelectorAll("button")) {
    const cell = button.parentElement;
    if (button.dataset.key !== choice.sort) cell.removeAttribute("aria-sort");
    else cell.setAttribute("aria-sort", choice.down ? "descending" : "ascending");
  }
}

function headOf(key) {
  // A long name may be broken after a slash or an underscore.
  const parts = (TITLES.get(key) ?? key).split(/(?<=[/_])/);
  const button = element("button", {type: "button", "data-key": key},
    ...parts.flatMap(part => [element("wbr"), part]));
  const kind = !TITLES.has(key) ? "number metric" : key === "seed" ? "number" : "";
  return element("th", {scope: "col", class: kind}, button);
}

function rowOf(run, keys) {
  const box = element("input", {type: "checkbox", "aria-label": `show ${run.run}`});
  box.checked = choice.selected.has(run);
  box.dataset.run = run.index;
  return element("tr", {}, element("td", {}, box), ...keys.map(key => cellOf(run, key)));
}

const CELLS = {
  run: run => element("td", {class: "name"}, run.report
    ? element("a", {href: run.href + "/report.html"}, run.run) : run.run),
  status: run => element("td", {},
    element("span", {class: "badge " + (run.status in STATUS ? "" : run.status)},
      STATUS[run.status] ?? run.status),
    run.alarms ? element("span", {class: "flag alarm"}, "alarm") : ""),
  started: run => element("td", {class: "when"}, run.started.replace("T", " ").slice(0, 16)),
  data: run => element("td", {class: "data"}, run.data,
    run.fallback ? element("span", {class: "flag"}, "fallback") : "",
    run.note ? element("span", {class: "soft", title: run.note}, run.note) : ""),
};

function cellOf(run, key) {
  if (CELLS[key]) return CELLS[key](run);
  const value = valueOf(run, key);
  if (typeof value === "number") {
    const bad = Number.isFinite(value) ? "" : " bad";
    const digits = key === "seed" ? String(value) : formatNumber(value);
    return element("td", {class: "number" + bad}, digits);
  }
  return element("td", {class: TITLES.has(key) ? "" : "number"}, value ?? "");
}

// Fills the menu in which the reader chooses columns.
function fillChoices() {
  const groups = {"Metrics": new Set(), "Settings that differ": new Set()};
  const [metrics, settings] = Object.values(groups);
  for (const run of runs) {
    Object.keys(run.metrics).forEach(name => metrics.add(name));
    Object.keys(run.settings).forEach(name => settings.add("config/" + name));
  }
  const current = new Set(columnsOf(shownRuns())), parts = [];
  for (const [title, names] of Object.entries(groups)) {
    if (names.size) parts.push(element("h3", {}, title));
    for (const name of [...names].sort(collator.compare)) {
      const box = element("input", {type: "checkbox", value: name});
      box.checked = current.has(name);
      parts.push(element("label", {}, box, " " + name));
    }
  }
  document.querySelector(".choices").replaceChildren(...parts);
}
