"""The index's script, second part: state in the address, table, filter, what is ticked.

Texts of runs enter the page as text nodes alone, never as HTML.
"""

TABLE_SCRIPT = r"""
const BEFORE = [["run", "Run"], ["experiment", "Experiment"], ["status", "Status"],
  ["preset", "Preset"], ["seed", "Seed"]];
const AFTER = [["started", "Started"], ["data", "Data"], ["device", "Device"]];
const FIXED = [...BEFORE, ...AFTER];
const NAMES = new Map(FIXED);
const STATUS = {running: "running, or killed", unknown: "no summary"};
const MOST_ROWS = 200, MOST_COLUMNS = 4, MOST_TICKED = 5;
const runs = JSON.parse($("data").textContent);
if (!runs.length) return;
runs.forEach((run, index) => {
  run.index = index;
  run.text = [...FIXED.map(([key]) => run[key]), run.note, run.fallback ? "fallback" : ""]
    .join(" ").toLowerCase();
});
const byName = new Map(runs.map(run => [run.run, run]));
const collator = new Intl.Collator("en", {numeric: true});
let state, all = false, headed = "";

// What run `run` has in column `key`: a fact, the last of a metric, or a setting.
function value(run, key) {
  if (key === "started") return Date.parse(run.started) || undefined;
  if (NAMES.has(key)) return run[key];
  if (Object.hasOwn(run.metrics, key)) return Number(run.metrics[key]);
  const setting = key.startsWith("config/") ? key.slice(7) : "";
  return setting && Object.hasOwn(run.settings, setting) ? run.settings[setting] : undefined;
}

function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const newest = runs.filter(run => run.experiment === runs[0].experiment).slice(0, MOST_TICKED);
  const named = given.getAll("run").map(name => byName.get(name)).filter(Boolean);
  state = {
    filter: given.get("filter") ?? "", experiment: given.get("experiment") ?? "",
    status: given.get("status") ?? "", sort: given.get("sort") ?? "started",
    down: given.has("down") ? given.get("down") === "1" : !given.has("sort"),
    columns: given.has("column") ? given.getAll("column").filter(Boolean) : null,
    metric: given.get("metric") ?? "", log: given.get("log") === "1",
    picture: given.get("picture") ?? "", chosen: given.has("run"),
    ticked: new Set(given.has("run") ? named : newest),
  };
}

function writeState() {
  const words = new URLSearchParams();
  for (const key of ["filter", "experiment", "status", "metric", "picture"])
    if (state[key]) words.set(key, state[key]);
  if (state.sort !== "started" || !state.down) {
    words.set("sort", state.sort);
    words.set("down", state.down ? "1" : "0");
  }
  if (state.log) words.set("log", "1");
  for (const name of state.columns ?? []) words.append("column", name);
  if (state.columns && !state.columns.length) words.append("column", "");
  if (state.chosen) {
    for (const run of state.ticked) words.append("run", run.run);
    if (!state.ticked.size) words.append("run", "");
  }
  history.replaceState(null, "", "#" + words);
}

function shown() {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = runs.filter(run => words.every(word => run.text.includes(word))
    && (!state.experiment || run.experiment === state.experiment)
    && (!state.status || run.status === state.status));
  const sign = state.down ? -1 : 1;
  const keyed = found.map(run => [value(run, state.sort), run]);
  const absent = each => each === undefined || each === null || each === "" || Number.isNaN(each);
  keyed.sort(([left, one], [right, other]) => {
    if (absent(left) || absent(right))
      return absent(left) - absent(right) || one.index - other.index;
    const numbers = typeof left === "number" && typeof right === "number";
    const order = numbers ? left - right : collator.compare(String(left), String(right));
    return sign * order || one.index - other.index;
  });
  return keyed.map(([, run]) => run);
}

// Those that the address names, else metrics such that most runs have a number in their row; of an
// experiment its first evaluations.
function columns(found) {
  const names = state.columns ?? [];
  if (!state.columns) {
    const having = new Map();
    for (const run of found) {
      const every = Object.keys(run.metrics);
      const evaluated = every.filter(name => name.startsWith("eval/"));
      for (const name of evaluated.length ? evaluated : every)
        having.has(name) ? having.get(name).push(run) : having.set(name, [run]);
    }
    const covered = new Set();
    const worth = members => members.filter(run => !covered.has(run)).length + members.length / 1e6;
    while (names.length < MOST_COLUMNS && having.size) {
      const [name, members] = [...having].reduce((one, other) =>
        worth(other[1]) > worth(one[1]) ? other : one);
      names.push(name);
      having.delete(name);
      members.forEach(run => covered.add(run));
    }
  }
  const more = NAMES.has(state.sort) || names.includes(state.sort) ? [] : [state.sort];
  return [...BEFORE.map(([key]) => key), ...more, ...names, ...AFTER.map(([key]) => key)];
}

function drawTable() {
  const found = shown(), keys = columns(found);
  drawHead(keys);
  const some = all ? found : found.slice(0, MOST_ROWS);
  $("table").tBodies[0].replaceChildren(...some.map(run => row(run, keys)));
  $("every").checked = found.length > 0 && found.every(run => state.ticked.has(run));
  $("count").textContent = `${found.length.toLocaleString("en")} of `
    + `${runs.length.toLocaleString("en")} runs, ${state.ticked.size} ticked`;
  $("more").hidden = some.length === found.length;
  $("more").textContent = `Show all ${found.length.toLocaleString("en")} rows`;
}

function drawHead(keys) {
  const head = $("table").tHead;
  if (headed !== keys.join("\n")) {
    const focused = document.activeElement?.dataset?.key;
    const line = element("tr", {}, element("th", {}, element("input",
      {type: "checkbox", id: "every", "aria-label": "tick all runs of the table"})));
    for (const key of keys) {
      const button = element("button", {type: "button", "data-key": key},
        ...(NAMES.get(key) ?? key).split(/(?<=[/_])/).flatMap(part => [element("wbr", {}), part]));
      const kind = !NAMES.has(key) ? "number metric" : key === "seed" ? "number" : "";
      line.append(element("th", {scope: "col", class: kind}, button));
    }
    head.replaceChildren(line);
    headed = keys.join("\n");
    if (focused) [...head.querySelectorAll("button")]
      .find(button => button.dataset.key === focused)?.focus();
  }
  for (const button of head.querySelectorAll("button")) {
    const cell = button.parentElement;
    if (button.dataset.key !== state.sort) cell.removeAttribute("aria-sort");
    else cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
  }
}

function row(run, keys) {
  const box = element("input", {type: "checkbox", "aria-label": `show ${run.run}`});
  box.checked = state.ticked.has(run);
  box.dataset.run = run.index;
  return element("tr", {}, element("td", {}, box), ...keys.map(key => cell(run, key)));
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

function cell(run, key) {
  if (CELLS[key]) return CELLS[key](run);
  const found = value(run, key);
  if (typeof found === "number") {
    const bad = Number.isFinite(found) ? "" : " bad";
    return element("td", {class: "number" + bad}, key === "seed" ? String(found) : number(found));
  }
  return element("td", {class: NAMES.has(key) ? "" : "number"}, found ?? "");
}

function draw() {
  const ticked = [...state.ticked];
  drawTable();
  drawCurves(ticked, state, untick);
  drawPictures(ticked, state);
}

function drawControls() {
  for (const key of ["filter", "experiment", "status"]) $(key).value = state[key];
  $("log").checked = state.log;
}

function change(changes, redraw = draw) {
  Object.assign(state, changes);
  redraw();
  writeState();
}

function tick(changed, on) {
  for (const run of changed) on ? state.ticked.add(run) : state.ticked.delete(run);
  change({chosen: true});
}

function untick(run) { tick([run], false); }

function fillChoices() {
  const groups = new Map([["Metrics", new Set()], ["Settings that differ", new Set()]]);
  const [metrics, settings] = groups.values();
  for (const run of runs) {
    Object.keys(run.metrics).forEach(name => metrics.add(name));
    Object.keys(run.settings).forEach(name => settings.add("config/" + name));
  }
  const now = new Set(columns(shown()));
  const parts = [];
  for (const [title, names] of groups) {
    if (names.size) parts.push(element("h3", {}, title));
    for (const name of [...names].sort(collator.compare)) {
      const box = element("input", {type: "checkbox", value: name});
      box.checked = now.has(name);
      parts.push(element("label", {}, box, " " + name));
    }
  }
  document.querySelector(".choices").replaceChildren(...parts);
}

function listen() {
  for (const key of ["experiment", "status"]) {
    const names = [...new Set(runs.map(run => run[key]))].sort(collator.compare);
    $(key).append(...names.map(name => element("option", {value: name}, name)));
    $(key).addEventListener("change", event => change({[key]: event.target.value}));
  }
  $("filter").addEventListener("input", event =>
    change({filter: event.target.value}, drawTable));
  $("filter").form.addEventListener("submit", event => event.preventDefault());
  $("table").tHead.addEventListener("click", event => {
    const key = event.target.closest("button")?.dataset.key;
    if (key) change({sort: key, down: key === state.sort ? !state.down : false}, drawTable);
  });
  $("table").tHead.addEventListener("change", event => tick(shown(), event.target.checked));
  $("table").tBodies[0].addEventListener("change", event =>
    tick([runs[event.target.dataset.run]], event.target.checked));
  $("none").addEventListener("click", () => tick(runs, false));
  $("more").addEventListener("click", () => { all = true; drawTable(); });
  $("columns").addEventListener("toggle", fillChoices);
  document.querySelector(".choices").addEventListener("change", () => change({columns:
    [...document.querySelectorAll(".choices :checked")].map(box => box.value)}, drawTable));
  $("metric").addEventListener("change", event => change({metric: event.target.value}));
  $("picture").addEventListener("change", event => change({picture: event.target.value}));
  $("log").addEventListener("change", event => change({log: event.target.checked}));
  for (const link of document.querySelectorAll("a.filter"))
    link.addEventListener("click", event => {
      event.preventDefault();
      change({filter: link.dataset.filter, experiment: "", status: ""});
      drawControls();
      $("runs").scrollIntoView();
    });
  const close = () => { $("columns").open = false; };
  addEventListener("click", event => $("columns").contains(event.target) || close());
  addEventListener("keydown", event => event.key === "Escape" && close());
  addEventListener("hashchange", () => { readState(); drawControls(); draw(); });
  addEventListener("resize", () => drawCurves([...state.ticked], state, untick));
}

readState();
listen();
drawControls();
draw();
"""
