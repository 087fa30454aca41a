// Connects the controls of the index to what they change, and draws the page.

"use strict";
/* global byId, changeCharts, choice, collator, drawCurves, drawImages, drawTable, element */
/* global fillColumns, fillMetrics, fillSelect, groupChoices, linesOf, readChoice, runs */
/* global showAllRows, shownRuns, writeChoice */

const SELECTS = ["experiment", "status", "value", "group", "band", "image"];

function drawPage() {
  const selected = [...choice.selected], lines = linesOf(selected);
  drawTable(new Map(lines.flatMap(({runs: members, look}) => members.map(run => [run, look]))));
  drawCurves(lines, selected, members => select(members, false));
  drawImages(selected);
  byId("band").disabled = !choice.group;
}

function change(changes, redraw = drawPage) {
  Object.assign(choice, changes);
  redraw();
  markEdges();
  writeChoice();
}

function select(changed, on) {
  for (const run of changed)
    if (on) choice.selected.add(run);
    else choice.selected.delete(run);
  change({selecting: true});
}

function showControls() {
  for (const key of ["filter", "smooth", ...SELECTS]) byId(key).value = choice[key];
  byId("log").checked = choice.log;
  byId("strength").textContent = choice.smooth || "";
}

function listenToTable() {
  const table = byId("table");
  table.tHead.addEventListener("click", event => {
    const key = event.target.closest("button")?.dataset.key;
    if (key) change({sort: key, down: key === choice.sort ? !choice.down : false}, drawTable);
  });
  table.tHead.addEventListener("change", event => select(shownRuns(), event.target.checked));
  table.tBodies[0].addEventListener("change", event =>
    select([runs[event.target.dataset.run]], event.target.checked));
  byId("more").addEventListener("click", showAllRows);
}

function listenToFilters() {
  for (const key of ["experiment", "status"]) {
    const names = [...new Set(runs.map(run => run[key]))].sort(collator.compare);
    byId(key).append(...names.map(name => element("option", {value: name}, name)));
  }
  fillSelect(byId("group"), groupChoices(), choice.group);
  for (const key of SELECTS)
    byId(key).addEventListener("change", event => change({[key]: event.target.value}));
  byId("filter").addEventListener("input", event =>
    change({filter: event.target.value}, drawTable));
  for (const form of document.querySelectorAll("form"))
    form.addEventListener("submit", event => event.preventDefault());
  byId("none").addEventListener("click", () => select(runs, false));
  for (const link of document.querySelectorAll("a.filter"))
    link.addEventListener("click", event => {
      event.preventDefault();
      showGroup(link.dataset.filter, link.dataset.group);
    });
}

// Shows the runs of a sweep or of seeds in the table, and their curves.
function showGroup(filter, group) {
  Object.assign(choice, {filter, experiment: "", status: "", columns: null, metrics: null, group});
  change({selecting: true, selected: new Set(shownRuns())});
  showControls();
  byId("runs").scrollIntoView();
}

function listenToMenu(id, fill, key, redraw) {
  const menu = byId(id), boxes = () => [...menu.querySelectorAll("input")];
  const read = () => change(
    {[key]: boxes().filter(box => box.checked).map(box => box.value)}, redraw);
  menu.addEventListener("toggle", fill);
  menu.addEventListener("change", read);
  menu.addEventListener("click", event => {
    const set = event.target.dataset.all;
    if (set === undefined) return;
    boxes().forEach(box => { box.checked = set === "1"; });
    read();
  });
  addEventListener("click", event => menu.contains(event.target) || (menu.open = false));
  addEventListener("keydown", event => {
    if (event.key === "Escape") menu.open = false;
  });
}

function listenToCurves() {
  const charts = byId("charts");
  byId("log").addEventListener("change", event =>
    change({log: event.target.checked}, () => changeCharts(charts, {log: choice.log})));
  byId("smooth").addEventListener("input", event => {
    change({smooth: Number(event.target.value)},
      () => changeCharts(charts, {smooth: choice.smooth}));
    byId("strength").textContent = choice.smooth || "";
  });
}

// Marks every table that goes on beyond its right edge.
function markEdges() {
  for (const card of document.querySelectorAll(".scroll"))
    card.classList.toggle("more", card.scrollWidth - card.clientWidth - card.scrollLeft > 2);
}

if (runs.length) {
  readChoice();
  listenToTable();
  listenToFilters();
  listenToMenu("columns", fillColumns, "columns", drawTable);
  listenToMenu("metrics", fillMetrics, "metrics", drawPage);
  listenToCurves();
  addEventListener("hashchange", () => {
    readChoice();
    showControls();
    drawPage();
    markEdges();
  });
  showControls();
  drawPage();
}
addEventListener("resize", markEdges);
addEventListener("scroll", markEdges, {passive: true, capture: true});
markEdges();
