// Draws the table of runs. Texts of runs enter the page as text nodes, never as HTML.

"use strict";
/* global AFTER, BEFORE, STATUS, TITLES, VALUES, byId, choice, collator, decimalsApart, element */
/* global formatCell, formatNumber, goals, runs, shownRuns, swatch, swept, valueOf */
/* exported drawTable, fillColumns, fillMenu, nameOf, showAllRows */

const MOST_ROWS = 200, MOST_METRICS = 4, MOST_SETTINGS = 4;
const KEPT_LETTERS = 12;  // At the end of a long name, where runs differ.
let all = false, headed = "", looks = new Map();

function showAllRows() {
  all = true;
  drawTable();
}

// Returns the columns: the fixed ones, and between them what the reader chose, else the settings
// that differ and some metrics.
function columnsOf(shown) {
  const names = choice.columns ?? [...usefulSettings(shown), ...usefulMetrics(shown)];
  const sorted = TITLES.has(choice.sort) || names.includes(choice.sort) ? [] : [choice.sort];
  return [...BEFORE, ...sorted, ...names, ...AFTER];
}

// Returns the settings in which the shown runs differ: all that a sweep varied, and a few
// others, without those that say how often a run logs.
function usefulSettings(shown) {
  const values = new Map(), counts = new Map();
  for (const run of shown)
    for (const [name, value] of Object.entries(run.settings)) {
      if (!values.has(name)) values.set(name, new Set());
      values.get(name).add(value);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  const differing = [...values.keys()].filter(name => values.get(name).size > 1)
    .sort((one, other) => counts.get(other) - counts.get(one));
  const others = differing.filter(name => !swept.includes(name) && !name.endsWith("_every"))
    .slice(0, MOST_SETTINGS);
  return [...swept.filter(name => differing.includes(name)), ...others]
    .map(name => `config/${name}`);
}

// Returns metrics such that most runs have a number in their row: those with a known goal first,
// then evaluations before training.
function usefulMetrics(shown) {
  const having = new Map(), covered = new Set(), names = [];
  for (const run of shown) {
    const every = Object.keys(run.metrics);
    const evaluated = every.filter(name => name.startsWith("eval/"));
    for (const name of evaluated.length ? evaluated : every)
      if (having.has(name)) having.get(name).push(run);
      else having.set(name, [run]);
  }
  const worth = ([name, members]) => members.filter(run => !covered.has(run)).length
    + (members.length + (name in goals ? 0.5 : 0)) / 1e6;
  while (names.length < MOST_METRICS && having.size) {
    const [name, members] = [...having].reduce((one, other) =>
      worth(other) > worth(one) ? other : one);
    names.push(name);
    having.delete(name);
    members.forEach(run => covered.add(run));
  }
  return names;
}

// Draws the table; `newLooks` has the look of the line of each run that is drawn.
function drawTable(newLooks = looks) {
  looks = newLooks;
  const shown = shownRuns(), keys = columnsOf(shown);
  drawHead(keys);
  const rows = all ? shown : shown.slice(0, MOST_ROWS);
  const columns = keys.map(key => columnOf(key, shown));
  byId("table").tBodies[0].replaceChildren(...rows.map(run => rowOf(run, columns)));
  byId("every").checked = shown.length > 0 && shown.every(run => choice.selected.has(run));
  byId("count").textContent = `${shown.length.toLocaleString("en")} of `
    + `${runs.length.toLocaleString("en")} runs, ${choice.selected.size} selected`;
  byId("more").hidden = rows.length === shown.length;
  byId("more").textContent = `Show all ${shown.length.toLocaleString("en")} rows`;
}

function drawHead(keys) {
  const head = byId("table").tHead, drawn = [choice.value, ...keys].join("\n");
  if (headed !== drawn) {
    const focused = document.activeElement?.dataset?.key;
    const line = element("tr", {}, element("th", {}, element("input",
      {type: "checkbox", id: "every", "aria-label": "select all runs of the table"})));
    line.append(...keys.map(headOf));
    head.replaceChildren(line);
    headed = drawn;
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
  const name = TITLES.get(key) ?? key.replace(/^config\//, "");
  const button = element("button", {type: "button", "data-key": key},
    ...name.split(/(?<=[/_])/).flatMap(part => [element("wbr"), part]));
  const metric = !TITLES.has(key) && !key.startsWith("config/");
  const words = VALUES[choice.value === "best" && !(key in goals) ? "last" : choice.value];
  const kind = metric ? "number metric" : TITLES.has(key) && key !== "seed" ? "" : "number";
  return element("th", {scope: "col", class: kind},
    metric && words ? element("span", {class: "soft"}, words) : "", button);
}

// Returns what the cells of a column share: the digits that tell its numbers apart, and its best.
function columnOf(key, shown) {
  const values = shown.map(run => valueOf(run, key)).filter(Number.isFinite);
  const choose = {minimize: Math.min, maximize: Math.max}[goals[key]];
  return {key, decimals: TITLES.has(key) ? 0 : decimalsApart(values),
    best: choose && values.length > 1 ? values.reduce((one, other) => choose(one, other)) : null};
}

function rowOf(run, columns) {
  const box = element("input", {type: "checkbox", "aria-label": `show ${run.run}`});
  box.checked = choice.selected.has(run);
  box.dataset.run = run.index;
  return element("tr", {}, element("td", {}, box), ...columns.map(column => cellOf(run, column)));
}

// Returns a name that is cut in its middle where it is too long; the title has all of it.
function nameOf(run, name = run.run) {
  const at = Math.max(0, name.length - KEPT_LETTERS);
  const parts = [element("span", {class: "head"}, name.slice(0, at)),
    element("span", {}, name.slice(at))].slice(at ? 0 : 1);
  const attributes = {class: "run-name", title: run.run};
  return run.report ? element("a", {...attributes, href: run.href + "/report.html"}, ...parts)
    : element("span", attributes, ...parts);
}

const CELLS = {
  run: run => element("td", {class: "name"}, looks.has(run) ? swatch(looks.get(run)) : "",
    nameOf(run)),
  status: run => element("td", {},
    element("span", {class: "badge " + (run.status in STATUS ? "" : run.status)},
      STATUS[run.status] ?? run.status),
    run.alarms ? element("span", {class: "flag alarm"}, "alarm") : ""),
  started: run => element("td", {class: "when"}, run.started.replace("T", " ").slice(0, 16)),
  data: run => element("td", {class: "data", title: run.note}, run.data,
    run.fallback ? element("span", {class: "flag"}, "fallback") : "",
    run.note ? element("span", {class: "remark"}, run.note) : ""),
};

function cellOf(run, {key, decimals, best}) {
  if (CELLS[key]) return CELLS[key](run);
  const value = valueOf(run, key);
  if (typeof value !== "number")
    return element("td", {class: TITLES.has(key) ? "cut" : "number cut", title: value ?? ""},
      value ?? "");
  const kind = (Number.isFinite(value) ? "" : " bad") + (value === best ? " best" : "");
  const text = key === "seed" ? String(value)
    : key.startsWith("config/") ? formatCell(value, decimals) : formatNumber(value, decimals);
  return element("td", {class: "number" + kind}, text);
}

// Fills a menu of check boxes; `groups` has the names under each heading.
function fillMenu(menu, groups, chosen) {
  const parts = [];
  for (const [title, names] of Object.entries(groups)) {
    if (names.length) parts.push(element("h3", {}, title));
    for (const name of names) {
      const box = element("input", {type: "checkbox", value: name});
      box.checked = chosen.includes(name);
      parts.push(element("label", {}, box, " " + name.replace(/^config\//, "")));
    }
  }
  menu.querySelector(".choices").replaceChildren(...parts);
}

function fillColumns() {
  const names = key => [...new Set(runs.flatMap(run => Object.keys(run[key])))]
    .sort(collator.compare);
  const settings = names("settings").map(name => `config/${name}`);
  fillMenu(byId("columns"), {"Settings that differ": settings, "Metrics": names("metrics")},
    columnsOf(shownRuns()));
}
