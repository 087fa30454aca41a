// Connects the controls of the index to what they change, and draws the page.

"use strict";
/* global byId, choice, collator, drawCurves, drawImages, drawTable, element, fillChoices */
/* global readChoice, runs, showAllRows, shownRuns, writeChoice */

function drawPage() {
  const selected = [...choice.selected];
  drawTable();
  drawCurves(selected, choice, run => select([run], false));
  drawImages(selected, choice);
}

function change(changes, redraw = drawPage) {
  Object.assign(choice, changes);
  redraw();
  writeChoice();
}

function select(changed, on) {
  for (const run of changed)
    if (on) choice.selected.add(run);
    else choice.selected.delete(run);
  change({selecting: true});
}

function showControls() {
  for (const key of ["filter", "experiment", "status"]) byId(key).value = choice[key];
  byId("log").checked = choice.log;
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
    byId(key).addEventListener("change", event => change({[key]: event.target.value}));
  }
  byId("filter").addEventListener("input", event =>
    change({filter: event.target.value}, drawTable));
  byId("filter").form.addEventListener("submit", event => event.preventDefault());
  byId("none").addEventListener("click", () => select(runs, false));
  for (const link of document.querySelectorAll("a.filter"))
    link.addEventListener("click", event => {
      event.preventDefault();
      change({filter: link.dataset.filter, experiment: "", status: ""});
      showControls();
      byId("runs").scrollIntoView();
    });
}

function listenToColumns() {
  const menu = byId("columns"), choices = document.querySelector(".choices");
  menu.addEventListener("toggle", fillChoices);
  choices.addEventListener("change", () => change(
    {columns: [...choices.querySelectorAll(":checked")].map(box => box.value)}, drawTable));
  addEventListener("click", event => menu.contains(event.target) || (menu.open = false));
  addEventListener("keydown", event => {
    if (event.key === "Escape") menu.open = false;
  });
}

function listenToResults() {
  for (const key of ["metric", "image"])
    byId(key).addEventListener("change", event => change({[key]: event.target.value}));
  byId("log").addEventListener("change", event => change({log: event.target.checked}));
}

if (runs.length) {
  readChoice();
  listenToTable();
  listenToFilters();
  listenToColumns();
  listenToResults();
  addEventListener("hashchange", () => {
    readChoice();
    showControls();
    drawPage();
  });
  showControls();
  drawPage();
}
