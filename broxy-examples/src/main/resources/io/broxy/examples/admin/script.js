// The page of a proxy's operator. Whatever a client sent becomes text, and never markup.
"use strict";

const get = id => document.getElementById(id);
const SECONDS = 600;

// ---------------------------------------------------------------- text

/** Changes a text if it is another one, so that nothing is laid out for nothing. */
function set(element, text) {
  const node = typeof element === "string" ? get(element) : element;
  if (node.textContent !== text) node.textContent = text;
}

const grouped = new Intl.NumberFormat("en", { useGrouping: true });
const count = number => grouped.format(number).replaceAll(",", "\u202f");

function bytes(number) {
  if (number == null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (number >= 999.5 && unit < units.length - 1) { number /= 1000; unit++; }
  return (unit === 0 ? number.toFixed(0) : digits(number)) + "\u202f" + units[unit];
}

const rate = number => number == null ? "–" : bytes(number) + "/s";

/** Two or three digits. */
const digits = number => number >= 99.95 ? number.toFixed(0) : number.toPrecision(number < 9.995 ? 2 : 3);

function micros(number) {
  if (number == null) return "–";
  if (number < 1000) return number.toFixed(0) + "\u202fµs";
  if (number < 1e6) return digits(number / 1e3) + "\u202fms";
  return number < 120e6 ? digits(number / 1e6) + "\u202fs" : age(number / 1e3);
}

function age(millis) {
  const s = Math.floor(millis / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  if (s < 60) return s + "\u202fs";
  if (m < 60) return m + ":" + String(s % 60).padStart(2, "0");
  if (h < 24) return h + "\u202fh\u00a0" + String(m % 60).padStart(2, "0");
  return d + "\u202fd\u00a0" + (h % 24) + "\u202fh";
}

const words = reason => reason.toLowerCase().replaceAll("_", " ");

/** Fills a small table: each row is an array, its first cell the header; {text, kind, number, bar, title} where a cell is more than text. */
function fill(id, rows, empty) {
  const body = get(id);
  const shown = rows.length > 0 || !empty ? rows : [[{ text: empty, kind: "quiet" }]];
  shown.forEach((cells, i) => {
    let row = body.rows[i];
    if (!row || row.cells.length !== cells.length) {
      const fresh = document.createElement("tr");
      cells.forEach((cell, column) => {
        const node = document.createElement(column === 0 ? "th" : "td");
        if (column === 0) node.scope = "row";
        if (cells.length === 1) node.colSpan = 5;
        node.append(document.createElement("span"));
        fresh.append(node);
      });
      if (row) row.replaceWith(fresh); else body.append(fresh);
      row = fresh;
    }
    cells.forEach((cell, column) => show(row.cells[column], cell));
  });
  while (body.rows.length > shown.length) body.deleteRow(-1);
}

function show(node, cell) {
  const value = typeof cell === "object" ? cell : { text: cell };
  const kind = value.kind ?? (typeof value.text === "number" || value.number ? "n" : "");
  if (node.className !== kind) node.className = kind;
  if (node.title !== (value.title ?? "")) node.title = value.title ?? "";
  set(node.firstChild, typeof value.text === "number" ? count(value.text) : value.text);
  if (value.bar != null) {
    const bar = node.querySelector(".bar") ?? node.appendChild(document.createElement("i"));
    bar.className = "bar";
    bar.style.setProperty("--share", Math.round(value.bar * 100) + "%");
  }
}

// ---------------------------------------------------------------- the line of the last ten minutes

const line = { end: 0, client: [], origin: [] };

function addSample(sample) {
  const missed = line.end === 0 ? 1 : Math.round((sample.time - line.end) / 1000);
  for (let i = Math.max(1, Math.min(missed, SECONDS)); i > 0; i--) {
    line.client.push(i === 1 ? sample.toClient : null);
    line.origin.push(i === 1 ? sample.toOrigin : null);
  }
  line.end = sample.time;
  line.client.splice(0, line.client.length - SECONDS);
  line.origin.splice(0, line.origin.length - SECONDS);
}

const peak = values => values.reduce((most, value) => Math.max(most, value ?? 0), 0);

/** The next 1, 2 or 5 times a power of ten. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1000)));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value);
}

function path(values, top) {
  const offset = SECONDS - values.length;
  let text = "", pen = "M";
  values.forEach((value, i) => {
    if (value == null) { pen = "M"; return; }
    text += pen + (offset + i) + " " + (99.5 - 99 * value / top).toFixed(1);
    pen = "L";
  });
  return text;
}

function draw() {
  const peaks = { client: peak(line.client), origin: peak(line.origin) };
  const top = ceiling(Math.max(peaks.client, peaks.origin));
  const client = path(line.client, top);
  get("client-line").setAttribute("d", client);
  get("origin-line").setAttribute("d", path(line.origin, top));
  const start = SECONDS - line.client.length;
  get("client-area").setAttribute("d", client && !client.includes("M", 1) ? `${client}L${SECONDS - 1} 99.5L${start} 99.5Z` : "");
  set("scale-top", rate(top));
  set("scale-middle", rate(top / 2));
  set("client-peak", rate(peaks.client));
  set("origin-peak", rate(peaks.origin));
}

let pointed = null;

function readOut() {
  const i = pointed == null ? -1 : Math.round(pointed * (SECONDS - 1)) - (SECONDS - line.client.length);
  if (i < 0 || i >= line.client.length || line.client[i] == null) {
    get("cursor").removeAttribute("d");
    set("readout", "last ten minutes");
    return;
  }
  const x = SECONDS - line.client.length + i;
  get("cursor").setAttribute("d", `M${x} 0V100`);
  const time = new Date(line.end - (line.client.length - 1 - i) * 1000).toLocaleTimeString();
  set("readout", `${time}: ${rate(line.client[i])} to clients, ${rate(line.origin[i])} to origins`);
}

get("plot").addEventListener("pointermove", event => {
  const box = get("plot").getBoundingClientRect();
  pointed = (event.clientX - box.left) / box.width;
  readOut();
});
get("plot").addEventListener("pointerleave", () => { pointed = null; readOut(); });

// ---------------------------------------------------------------- figures

let closable = null; // unknown until the first event

function begin(status) {
  closable = status.closable;
  set("version", status.version);
  set("access", closable ? "" : "read-only: no admin token is set");
  line.end = 0;
  line.client = [];
  line.origin = [];
  status.line.forEach(([time, toClient, toOrigin]) => addSample({ time, toClient, toOrigin }));
}

function state(name, text) {
  if (get("state").dataset.state !== name) get("state").dataset.state = name;
  set("state", text);
}

const sum = pairs => pairs.reduce((all, [, number]) => all + number, 0);

function update(status) {
  state(status.serving ? "serving" : "draining", status.serving ? "serving" : "draining");
  set("uptime", age(status.uptime));
  for (const kind of ["connections", "tunnels", "exchanges"]) {
    set(kind + "-open", count(status[kind].open));
    set(kind + "-total", count(status[kind].total));
  }
  set("tile-p50", micros(status.times.dial.p50));
  set("tile-p99", micros(status.times.dial.p99));
  set("failures-total", count(sum(status.failures)));
  set("refused-total", count(sum(status.refused)));

  if (status.sample && status.sample.time > line.end) addSample(status.sample);
  if (status.sample) {
    set("client-rate", rate(status.sample.toClient));
    set("origin-rate", rate(status.sample.toOrigin));
  }
  set("client-total", bytes(status.bytes.toClient));
  set("origin-total", bytes(status.bytes.toOrigin));

  const time = (name, of) => [name, of.count, { text: micros(of.p50), number: true }, { text: micros(of.p99), number: true }];
  fill("times", [time("Dials", status.times.dial), time("Responses", status.times.response)]);
  fill("failures", status.failures.map(([reason, number]) => ["dial: " + words(reason), number]),
    status.refused.length > 0 ? null : "none");
  fill("refused", status.refused.map(([reason, number]) => ["refused: " + words(reason), number]));
  const busiest = of => [of.name, of.requests, { text: bytes(of.bytes), number: true }];
  fill("targets", status.targets.map(busiest), "none");
  fill("identities", status.identities.map(busiest), "none");

  fill("upstreams", status.upstreams.map(of => [
    of.name,
    of.uses == null ? "in use" : { text: of.penalty > 0 ? "tried last for " + of.penalty + "\u202fs" : "up", kind: of.penalty > 0 ? "down" : "up" },
    of.uses ?? "–", of.failures ?? "–",
    of.lastFailure ? { text: age(of.lastFailureAge) + " ago: " + words(of.lastFailure), title: of.lastFailureText } : "–"]), "none: targets are dialed directly");
  fill("pools", status.pools.map(of => [of.name, of.leased, of.idle, of.opening, of.waiting, of.created, of.reused]));
  fill("loops", status.loops.map(of => [of.name, of.clients,
    { text: of.busy == null ? "–" : (of.busy * 100).toFixed(of.busy < 0.0995 ? 1 : 0) + "\u202f%", number: true, bar: of.busy ?? 0 }]));
  const lookUps = status.lookUps;
  set("look-ups", `lookups: ${lookUps.running} running, ${lookUps.waiting} waiting, ${lookUps.abandoned} abandoned;`
    + ` ${status.dropped} log lines dropped`);
  fill("memory", status.memory.map(of => [of.name, { text: bytes(of.used), number: true, bar: of.max > 0 ? of.used / of.max : null },
    { text: of.max > 0 ? bytes(of.max) : "–", number: true }]));
}

// ---------------------------------------------------------------- events

let source = null, ticks = 0;

function listen() {
  if (source || document.hidden) return;
  source = new EventSource("events");
  source.onmessage = event => {
    const status = JSON.parse(event.data);
    if (status.first) begin(status);
    update(status);
    // The line and the table in turns, so that each is new every two seconds.
    if (ticks++ % 2 === 0) load();
    if (ticks % 2 === 0 || status.first) {
      draw();
      readOut();
    }
  };
  source.onerror = () => {
    state("lost", "connection lost");
    if (source.readyState === EventSource.CLOSED) { // refused, which a browser does not try again by itself
      source = null;
      setTimeout(listen, 5000);
    }
  };
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden && source) {
    source.close();
    source = null;
  }
  listen();
});

// ---------------------------------------------------------------- tunnels

const view = { sort: "rate", order: "desc", filter: "", offset: 0, limit: 50 };
const shown = new Map(); // the number of a tunnel, and its row
let loading = null, visible = true;

new IntersectionObserver(entries => {
  visible = entries[entries.length - 1].isIntersecting;
  load();
}).observe(get("tunnels"));

async function load(now) {
  if (closable === null) return;
  if (now) loading?.abort();
  else if (loading || !visible) return;
  const mine = loading = new AbortController();
  try {
    const response = await fetch("tunnels?" + new URLSearchParams(view), { signal: mine.signal });
    if (response.ok) table(await response.json());
  } catch (e) {
    if (e.name !== "AbortError") state("lost", "connection lost");
  } finally {
    if (loading === mine) loading = null;
  }
}

const COLUMNS = [
  ["client", "Client", of => of.client ?? "–"],
  ["identity", "Identity", of => of.identity ?? "–"],
  ["target", "Target", of => of.target],
  ["age n", "Age", of => age(of.age)],
  ["toOrigin n", "To origin", of => bytes(of.toOrigin)],
  ["toClient n", "To client", of => bytes(of.toClient)],
  ["rate n", "Rate", of => rate(of.rate)]];

function newRow() {
  const row = document.createElement("tr");
  row.setAttribute("role", "row");
  for (const [name, label] of COLUMNS) {
    const cell = row.insertCell();
    cell.setAttribute("role", "cell");
    cell.className = name;
    cell.dataset.label = label;
  }
  const cell = row.insertCell();
  cell.setAttribute("role", "cell");
  cell.className = "closing";
  if (closable) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Close";
    cell.append(button);
  }
  return row;
}

function table(page) {
  const body = get("rows");
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  const gone = new Set(shown.keys());
  page.rows.forEach((of, i) => {
    gone.delete(of.number);
    let row = shown.get(of.number);
    if (!row) {
      row = newRow();
      shown.set(of.number, row);
    }
    row.of = of;
    COLUMNS.forEach(([, , text], column) => set(row.cells[column], text(of)));
    const button = row.querySelector("button");
    const label = `Close the tunnel of ${of.client ?? "an unnamed client"} to ${of.target}`;
    if (button && button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    if (body.rows[i] !== row) body.insertBefore(row, body.rows[i] ?? null);
  });
  for (const number of gone) {
    shown.get(number).remove();
    shown.delete(number);
  }
  if (focused && focused !== document.activeElement) { // it was moved, or its tunnel has ended
    (focused.isConnected ? focused : get("tunnels")).focus({ preventScroll: true });
  }
  const last = page.offset + page.rows.length;
  const all = page.matching === page.total ? "" : ` (${count(page.total)} in all)`;
  set("range", page.matching === 0 ? "0" + all : `${count(page.offset + 1)}–${count(last)} of ${count(page.matching)}${all}`);
  get("previous").disabled = page.offset === 0;
  get("next").disabled = last >= page.matching;
  get("none").hidden = page.matching > 0;
  if (page.rows.length === 0 && page.offset > 0) turn(-1);
}

function turn(pages) {
  view.offset = Math.max(0, view.offset + pages * view.limit);
  load(true);
}

get("previous").addEventListener("click", () => turn(-1));
get("next").addEventListener("click", () => turn(1));

function mark() {
  for (const button of document.querySelectorAll("[data-sort]")) {
    const header = button.parentNode;
    if (button.dataset.sort === view.sort) header.setAttribute("aria-sort", view.order === "asc" ? "ascending" : "descending");
    else header.removeAttribute("aria-sort");
  }
}

get("table").tHead.addEventListener("click", event => {
  const sort = event.target.closest("[data-sort]")?.dataset.sort;
  if (!sort) return;
  const text = ["client", "identity", "target"].includes(sort);
  view.order = view.sort === sort ? (view.order === "asc" ? "desc" : "asc") : text ? "asc" : "desc";
  view.sort = sort;
  view.offset = 0;
  mark();
  load(true);
});

let typing = 0;
get("filter").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    view.filter = get("filter").value;
    view.offset = 0;
    load(true);
  }, 200);
});

// ---------------------------------------------------------------- closing a tunnel

const TOKEN = "broxy-admin-token";
let chosen = null;

get("rows").addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  chosen = button.closest("tr").of;
  set("dialog-target", chosen.target);
  set("dialog-client", chosen.client ?? "–");
  set("dialog-identity", chosen.identity ?? "–");
  set("problem", "");
  get("token").value = sessionStorage.getItem(TOKEN) ?? "";
  get("dialog").showModal();
  (get("token").value ? get("cancel") : get("token")).focus();
});

get("cancel").addEventListener("click", () => get("dialog").close());

get("closing").addEventListener("submit", async event => {
  event.preventDefault();
  const token = get("token").value.trim();
  if (/[^!-~]/.test(token)) { // which no header field can have
    set("problem", "The token is wrong.");
    return;
  }
  get("confirm").disabled = true;
  try {
    const response = await fetch(`tunnels/${chosen.number}/close`, { method: "POST", headers: { Authorization: "Bearer " + token } });
    if (response.status === 401) {
      sessionStorage.removeItem(TOKEN);
      set("problem", "The token is wrong.");
      get("token").focus();
      return;
    }
    sessionStorage.setItem(TOKEN, token);
    if (response.ok || response.status === 404) {
      get("dialog").close();
      set("notice", response.ok ? "Closed the tunnel to " + chosen.target : "The tunnel to " + chosen.target + " had ended already");
      load(true);
    } else {
      set("problem", await response.text());
    }
  } catch {
    set("problem", "The proxy does not answer.");
  } finally {
    get("confirm").disabled = false;
  }
});

mark();
listen();
