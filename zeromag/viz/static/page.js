"use strict";
// Draws what the server sends; keeps nothing, decides nothing. Message format: see zeromag/viz/mail.py.
const $ = (id) => document.getElementById(id);
const STALE_MS = 200, SPEED = 25, ERASE = 12, PX_PER_MM = 96 / 25.4, LABELS = 44, BAR = 96;
const seen = { hello: null, description: null, map: null, averages: {}, state: null, status: null };
const ring = { size: 0, stop: 0, rows: null, zero: null, gain: 0, settled: 0 };
let cursor = 0, heard = 0, socket = null, plot = null, frames = 0;

const ARRAYS = { f4: Float32Array, i2: Int16Array, u1: Uint8Array };
function* unpack(buffer) {
  for (let at = 0; at < buffer.byteLength;) {
    const length = new DataView(buffer).getUint32(at, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, at + 4, length)));
    at += 4 + length;
    for (const [name, shape, type] of head.arrays) {
      head[name] = new ARRAYS[type](buffer, at, shape.reduce((a, b) => a * b, 1));
      head[name].shape = shape;
      at += Math.ceil(head[name].byteLength / 4) * 4;
    }
    yield head;
  }
}

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/stream`);
  socket.binaryType = "arraybuffer";
  let arrived = 0;
  socket.onmessage = (event) => {
    heard = performance.now();
    for (const message of unpack(event.data)) take(message);
    if (++arrived % 3 === 0) socket.send(`=${arrived}`); // or the server sends no more: a slow line must not show the past
  };
  socket.onclose = (event) => { if (event.code === 1008) location.href = "sign-in"; else setTimeout(connect, 500); };
}

function take(message) {
  const pictures = { traces: ["traces"], average: ["beat"], map: ["map"], description: ["map", "traces", "beat"] };
  for (const name of pictures[message.kind] || []) due.add(name);
  if (message.kind === "traces") keep(message);
  else if (message.kind === "average") seen.averages[message.name] = message;
  else {
    seen[message.kind] = message;
    if (message.kind === "description") {
      Object.assign(ring, { size: Math.round(20 * message.rate), stop: 0, zero: null, gain: 0, settled: 0 });
      ring.rows = new Float32Array(ring.size * message.names.length).fill(NaN);
      seen.averages = {}; seen.map = null;
    }
    if (message.kind === "state") words(message);
    if (message.kind === "status") facts(message);
  }
}

function keep(message) {
  const [samples, width] = message.values.shape;
  keep.t_ns = message.t_ns;
  if (message.first > ring.stop && ring.stop > 0)
    for (let t = Math.max(ring.stop, message.first - ring.size); t < message.first; t++)
      ring.rows.fill(NaN, (t % ring.size) * width, (t % ring.size + 1) * width);
  for (let t = 0; t < samples; t++)
    ring.rows.set(message.values.subarray(t * width, (t + 1) * width), ((message.first + t) % ring.size) * width);
  if (ring.stop === 0) ring.begin = message.first;
  ring.stop = message.first + samples;
}

function words(state) {
  say($("message"), "hidden", !state.message);
  say($("message"), "textContent", state.message);
  const list = $("readings");
  const late = seen.latency ? `${seen.latency.p50.toFixed(0)} / ${seen.latency.p99.toFixed(0)} ms` : "—";
  const readings = [...state.readings, ["latency p50 / p99", late, "text"]];
  while (list.children.length < readings.length) {
    const box = document.createElement("div");
    box.append(document.createElement("dt"), document.createElement("dd"));
    list.append(box);
  }
  readings.forEach(([name, value, tone], k) => {
    const [term, number] = list.children[k].children;
    say(term, "textContent", name); say(number, "textContent", value); say(number, "className", tone);
  });
}

function facts(state) {
  $("source").textContent = (state.recording ? "● REC  " : "") + state.source;
  const numbers = JSON.stringify(state.parameters);
  if (numbers !== facts.numbers) {
    facts.numbers = numbers;
    $("no-numbers").hidden = state.parameters.length > 0;
    $("numbers").replaceChildren(...state.parameters.map((cells) => {
      const row = document.createElement("tr");
      row.append(...cells.map((text) => { const cell = document.createElement("td"); cell.textContent = text; return cell; }));
      return row;
    }));
  }
  const key = JSON.stringify([state.channels, state.reasons]);
  if (key === facts.key) return;
  facts.key = key;
  due.add("map").add("traces");
  const bad = state.channels.filter(([, status]) => status !== "good");
  $("n-channels").textContent = `${state.channels.length - bad.length} of ${state.channels.length} good`;
  $("tiles").replaceChildren(...state.channels.map(([name, status]) => {
    const tile = document.createElement("span");
    tile.textContent = name; tile.className = status === "good" ? "" : "bad"; tile.title = `${name}: ${status}`;
    return tile;
  }));
  const lines = bad.map(([name, status, why]) => [`${name}  ${status}  ${why}`, "alarm"]);
  $("bad").replaceChildren(...lines.concat(state.reasons.map((text) => [text, "warning"])).map(([text, tone]) => {
    const item = document.createElement("li");
    item.textContent = text; item.className = tone;
    return item;
  }));
}

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }
let ink = {};
function inks() { for (const n of ["panel", "line", "text", "quiet", "accent", "trace", "unseen", "alarm"]) ink[n] = colour(n); }

// Sets what has changed only: each setting costs a layout.
function say(element, name, value) { if (element[name] !== value) element[name] = value; }

function canvas(id, clear = true) {
  const element = $(id), scale = devicePixelRatio || 1;
  const width = element.clientWidth, height = element.clientHeight;
  if (element.width !== Math.round(width * scale) || element.height !== Math.round(height * scale)) {
    element.width = Math.round(width * scale); element.height = Math.round(height * scale);
    if (id === "traces") drawTraces.key = "";
  }
  const pen = element.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  if (clear) pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, 'DejaVu Sans', sans-serif"; pen.textBaseline = "middle"; pen.textAlign = "center";
  return [pen, width, height];
}

const signed = (value) => value === 0 ? "0" : (value > 0 ? "+" : "−") + +Math.abs(value).toPrecision(3);

function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((f) => f * power).find((v) => v >= value * (1 - 1e-9));
}

function drawMap() {
  const [pen, width, height] = canvas("map"), map = seen.map;
  if (!map || !seen.hello)
    return waiting(pen, width, height, (seen.description && seen.description.no_map) || "waiting for the first map");
  const [left, right, foot, head] = map.edges, room = [width - BAR - 32, height - 40];
  const size = Math.min(room[0] / (right - left), room[1] / (head - foot));
  const w = Math.round(size * (right - left)), h = Math.round(size * (head - foot)); // whole pixels: sharp edges
  const x0 = Math.round(16 + (room[0] - w) / 2), y0 = Math.round(20 + (room[1] - h) / 2);
  // Patient's left (x up) to the right of the screen, head up: the viewer faces the patient.
  const X = (x) => x0 + (x - left) * w / (right - left), Y = (y) => y0 + (head - y) * h / (head - foot);
  pen.fillStyle = ink.unseen; pen.fillRect(x0, y0, w, h); // what faint colours fade to
  pen.drawImage(field(map), x0, y0, w, h);
  coverUnseen(pen, map, X, Y, [x0, y0, w, h]);
  const lines = { "-1": new Path2D(), 0: new Path2D(), 1: new Path2D() };
  let at = 0;
  map.levels.forEach((level, k) => {
    const path = lines[Math.sign(level)];
    path.moveTo(X(map.lines[at]), Y(map.lines[at + 1]));
    for (let n = 1; n < map.lengths[k]; n++) path.lineTo(X(map.lines[at + 2 * n]), Y(map.lines[at + 2 * n + 1]));
    at += 2 * map.lengths[k];
  });
  pen.strokeStyle = "rgba(20,26,33,.75)";
  for (const [sign, thick, dash] of [[-1, 1, [4, 3]], [1, 1, []], [0, 2.4, []]]) {
    pen.lineWidth = thick; pen.setLineDash(dash); pen.stroke(lines[sign]);
  }
  drawArrows(pen, map, X, Y, w);
  drawPoles(pen, map, X, Y);
  const bad = new Set((seen.status ? seen.status.channels : []).filter(([, s]) => s !== "good").map(([n]) => n));
  const key = [width, height, map.edges, map.limit, [...bad], ink.text, seen.description.places.length, devicePixelRatio].join();
  if (key !== drawMap.key) {
    drawMap.key = key;
    const still = drawMap.still.getContext("2d");
    drawMap.still.width = pen.canvas.width; drawMap.still.height = pen.canvas.height;
    still.setTransform(pen.getTransform());
    still.font = pen.font; still.textBaseline = "middle"; still.textAlign = "center";
    drawStill(still, map, bad, X, Y, [x0, y0, w, h], width);
  }
  pen.drawImage(drawMap.still, 0, 0, width, height);
  say($("n-map"), "textContent", `${+map.step.toPrecision(3)} pT lines · pseudo-current`);
}
drawMap.still = document.createElement("canvas");

// Everything between the box and the outline of what the array sees, whose values are nobody's to see.
function coverUnseen(pen, map, X, Y, box) {
  const around = new Path2D();
  around.rect(...box);
  let at = 0;
  for (const length of map.around) {
    for (let n = 0; n < length; n++, at += 2)
      around[n ? "lineTo" : "moveTo"](X(map.outline[at]), Y(map.outline[at + 1]));
    around.closePath();
  }
  pen.fillStyle = ink.unseen; pen.fill(around, "evenodd");
}

// Where the field is strongest either way; nothing when it does not stand out.
function drawPoles(pen, map, X, Y) {
  say($("poles"), "textContent", map.pole_words);
  if (!map.poles.length) return;
  const [px, py, mx, my] = map.poles, ends = [["+", X(px), Y(py)], ["−", X(mx), Y(my)]];
  pen.strokeStyle = "#fff"; pen.lineWidth = 1.4; pen.setLineDash([1.5, 3]); pen.beginPath();
  for (const [, x, y] of ends) pen.lineTo(x, y);
  pen.stroke(); pen.setLineDash([]);
  pen.font = "bold 13px system-ui, 'DejaVu Sans', sans-serif";
  for (const [sign, x, y] of ends) {
    pen.beginPath(); pen.arc(x, y, 7.5, 0, 7); pen.fillStyle = "#141a21"; pen.fill(); pen.stroke();
    pen.fillStyle = "#fff"; pen.fillText(sign, x, y + 0.5);
  }
}

// The colours of the map as a picture of its own size, the fainter the less certain.
function field(map) {
  const [rows, columns] = map.index.shape;
  if (!field.table) field.table = new Uint32Array(seen.hello.colours.map(([r, g, b]) => b << 16 | g << 8 | r));
  if (field.canvas.width !== columns || field.canvas.height !== rows || !field.image) {
    field.canvas.width = columns; field.canvas.height = rows;
    field.image = new ImageData(columns, rows);
    field.words = new Uint32Array(field.image.data.buffer);
  }
  for (let k = 0; k < map.index.length; k++) field.words[k] = map.opacity[k] << 24 | field.table[map.index[k]];
  field.canvas.getContext("2d", { willReadFrequently: true }).putImageData(field.image, 0, 0);
  return field.canvas;
}
field.canvas = document.createElement("canvas");

// Sensors, words and colour bar: they change seldom, and words take longest.
function drawStill(pen, map, bad, X, Y, [x0, y0, w, h], width) {
  for (const [name, x, y] of seen.description.places) {
    pen.beginPath(); pen.lineWidth = bad.has(name) ? 2 : 1.2; pen.strokeStyle = bad.has(name) ? "#000" : "rgba(20,26,33,.6)";
    if (bad.has(name)) { for (const s of [-1, 1]) { pen.moveTo(X(x) - 5, Y(y) - 5 * s); pen.lineTo(X(x) + 5, Y(y) + 5 * s); } }
    else pen.arc(X(x), Y(y), 2.5, 0, 7);
    pen.stroke();
  }
  pen.fillStyle = ink.text;
  pen.fillText("head", x0 + w / 2, y0 - 9); pen.fillText("foot", x0 + w / 2, y0 + h + 10);
  pen.font = "bold 13px system-ui, 'DejaVu Sans', sans-serif";
  pen.fillText("R", x0 - 9, y0 + h / 2); pen.fillText("L", x0 + w + 9, y0 + h / 2);
  drawBar(pen, width - BAR + 28, y0, h, map.limit);
}

function drawArrows(pen, map, X, Y, w) {
  const nx = map.arrow_x.length, ny = map.arrow_y.length, long = 1.3 * w / nx;
  pen.beginPath(); pen.strokeStyle = "#0a0e12"; pen.lineWidth = 1.6;
  for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) {
    const jx = map.jx[j * nx + i], jy = map.jy[j * nx + i];
    if (jx === 0 && jy === 0) continue; // too weak to tell from noise
    const dx = jx * long, dy = -jy * long, x = X(map.arrow_x[i]) + dx / 2, y = Y(map.arrow_y[j]) + dy / 2;
    pen.moveTo(x - dx, y - dy); pen.lineTo(x, y);
    for (const s of [-0.2, 0.2]) { pen.moveTo(x, y); pen.lineTo(x - 0.35 * dx + s * dy, y - 0.35 * dy - s * dx); }
  }
  pen.stroke();
}

function drawBar(pen, x, y, h, limit) {
  const fill = pen.createLinearGradient(0, y + h, 0, y);
  seen.hello.colours.forEach((rgb, k) => fill.addColorStop(k / 255, `rgb(${rgb.join(",")})`));
  pen.fillStyle = fill; pen.fillRect(x, y, 16, h);
  pen.font = "12px system-ui, 'DejaVu Sans', sans-serif"; pen.fillStyle = ink.text; pen.textAlign = "left";
  for (const share of [0, 0.25, 0.5, 0.75, 1]) pen.fillText(signed(limit * (1 - 2 * share)), x + 21, y + share * h);
  pen.fillText("pT", x + 21, y + 16);
  pen.textAlign = "center"; pen.save(); pen.translate(x - 11, y + h / 2); pen.rotate(-Math.PI / 2);
  pen.fillText(seen.hello.out, h / 4, 0); pen.fillText(seen.hello.into, -h / 4, 0); pen.restore();
}

// A sweep changes few columns a picture: those are cleared and drawn, all of them only when something else changes.
function drawTraces() {
  const about = seen.description;
  const fresh = !about || ring.stop === 0;
  const [pen, width, height] = canvas("traces", fresh);
  say($("bar"), "hidden", fresh);
  if (fresh) { drawTraces.key = ""; return waiting(pen, width, height, "waiting for the first samples"); }
  const names = about.names, n = names.length, span = Math.floor(width - LABELS), pitch = height / n;
  const perPixel = about.rate / (SPEED * PX_PER_MM), newest = Math.floor((ring.stop - 1) / perPixel);
  settle(n, pitch, Math.min(ring.stop - ring.begin, Math.floor(span * perPixel)), about.rate);
  const bad = new Set((seen.status ? seen.status.channels : []).filter(([, s]) => s !== "good").map(([m]) => m));
  const column = (p) => ((p % span) + span) % span;
  const key = [width, height, ring.gain, ring.zero, ring.begin, names, [...bad], ink.trace].join();
  const last = drawTraces.newest, from = last - 2;
  const all = key !== drawTraces.key || newest < last || newest - from > span / 2 || column(newest) < column(from - 1);
  drawTraces.key = key; drawTraces.newest = newest;
  const first = all ? newest - span + ERASE + 1 : from;
  pen.save(); pen.beginPath();
  if (all) pen.rect(0, 0, width, height);
  else {
    const left = LABELS + column(first);
    pen.rect(left, 0, column(newest) + ERASE + LABELS + 1 - left, height);
    pen.rect(LABELS, 0, Math.max(0, column(newest) + ERASE + 1 - span), height);
  }
  pen.clip(); pen.clearRect(0, 0, width, height); pen.lineWidth = 1.3;
  for (let c = 0; c < n; c++) {
    const middle = (c + 0.5) * pitch;
    pen.strokeStyle = bad.has(names[c]) ? ink.quiet : ink.trace;
    trace(pen, c, n, all ? first : first - 2, newest, perPixel, column, middle);
    if (!all) continue;
    pen.textAlign = "left"; pen.fillStyle = bad.has(names[c]) ? ink.alarm : ink.quiet; pen.fillText(names[c], 0, middle);
  }
  pen.restore();
  const field = roundUp(18 / ring.gain);
  say($("bar"), "textContent", `${+field.toPrecision(2)} pT`);
  $("bar").style.height = `${field * ring.gain}px`;
  say($("n-traces"), "textContent", `${SPEED} mm/s sweep · ${(PX_PER_MM / ring.gain).toPrecision(3)} pT/mm`);
}

function trace(pen, c, n, first, newest, perPixel, column, middle) {
  pen.beginPath();
  let down = false, last = -1;
  for (let p = first; p <= newest; p++) {
    const from = Math.max(Math.ceil(p * perPixel), ring.begin), to = Math.min(Math.ceil((p + 1) * perPixel), ring.stop);
    if (column(p) < last) down = false;
    last = column(p);
    let least = Infinity, largest = -Infinity, start = NaN, final = NaN;
    for (let t = from; t < to; t++) {
      const value = ring.rows[(t % ring.size) * n + c];
      if (Number.isNaN(value)) continue;
      if (Number.isNaN(start)) start = value;
      final = value; least = Math.min(least, value); largest = Math.max(largest, value);
    }
    if (Number.isNaN(start)) { down = false; continue; }
    const x = LABELS + last, Y = (value) => middle - (value - ring.zero[c]) * ring.gain;
    if (down) pen.lineTo(x, Y(start)); else pen.moveTo(x, Y(start));
    if (largest > least) { pen.lineTo(x, Y(largest)); pen.lineTo(x, Y(least)); pen.lineTo(x, Y(final)); }
    down = true;
  }
  pen.stroke();
}

function settle(n, pitch, available, rate) {
  if (ring.zero && ring.stop - ring.settled < rate && ring.gain > 0) return;
  const step = Math.max(1, Math.floor(available / 400)), zero = [], reach = [];
  for (let c = 0; c < n; c++) {
    const values = [];
    for (let t = ring.stop - available; t < ring.stop; t += step) {
      const value = ring.rows[(t % ring.size) * n + c];
      if (!Number.isNaN(value)) values.push(value);
    }
    values.sort((a, b) => a - b);
    zero.push(values.length ? values[values.length >> 1] : 0);
    if (values.length) reach.push(Math.max(values[values.length - 1] - zero[c], zero[c] - values[0]));
  }
  reach.sort((a, b) => a - b);
  ring.zero = zero; ring.settled = ring.stop;
  if (ring.gain === 0 || ring.young) {
    ring.gain = 0.45 * pitch / roundUp(1.2 * (reach[reach.length >> 1] || 1));
    ring.young = ring.stop - ring.begin < 2 * rate;
  }
}

function drawBeat() {
  const [pen, width, height] = canvas("beat");
  const average = seen.averages.normal || Object.values(seen.averages).sort((a, b) => b.nave - a.nave)[0];
  if (!average || !average.names.length) { plot = null; return waiting(pen, width, height, "waiting for enough beats"); }
  const time = average.time, n = average.names.length, start = time[0], stop = time[time.length - 1];
  plot = { left: 48, right: width - 8, top: 2, bottom: height - 20, start, stop };
  const reach = roundUp(average.wave.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  const X = (t) => plot.left + (t - start) / (stop - start) * (plot.right - plot.left);
  const Y = (v) => (plot.top + plot.bottom) / 2 - v / reach * (plot.bottom - plot.top) / 2;
  pen.lineWidth = 1; pen.strokeStyle = ink.line; pen.fillStyle = ink.quiet; pen.beginPath();
  for (let ms = Math.ceil(start * 10) * 100; ms <= stop * 1000; ms += 100) {
    pen.moveTo(X(ms / 1000), plot.top); pen.lineTo(X(ms / 1000), plot.bottom);
    const at = Math.min(X(ms / 1000), width - 14);  // the last label stays inside
    pen.fillText(ms === 0 ? "0 ms" : String(ms).replace("-", "−"), at, height - 9);
  }
  pen.textAlign = "right";
  for (const value of [-reach, -reach / 2, 0, reach / 2, reach]) {
    pen.moveTo(plot.left, Y(value)); pen.lineTo(plot.right, Y(value));
    pen.fillText(value ? signed(value) : "0 pT", plot.left - 5, Math.min(Math.max(Y(value), 7), height - 26));
  }
  pen.stroke();
  pen.strokeStyle = ink.trace; pen.globalAlpha = 0.6;
  for (let c = 0; c < n; c++) {
    pen.beginPath();
    for (let t = 0; t < time.length; t++) pen.lineTo(X(time[t]), Y(average.wave[t * n + c]));
    pen.stroke();
  }
  pen.globalAlpha = 1;
  cursor = Math.min(Math.max(cursor, start), stop);
  const at = Math.round((cursor - start) / (stop - start) * (time.length - 1));
  const row = average.wave.subarray(at * n, (at + 1) * n);
  const high = row.indexOf(Math.max(...row)), low = row.indexOf(Math.min(...row));
  pen.strokeStyle = pen.fillStyle = ink.accent; pen.lineWidth = 1.6; pen.beginPath();
  pen.moveTo(X(cursor), plot.top); pen.lineTo(X(cursor), plot.bottom); pen.stroke();
  const ms = Math.round(cursor * 1000), pT = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(1);
  const before = X(cursor) > (plot.left + plot.right) / 2; // the words beside the line, where there is room; the names if there is
  const after = `R${ms < 0 ? "−" : "+"}${Math.abs(ms)} ms   `, short = `${after}${pT(row[high])}  ${pT(row[low])} pT`;
  const words = `${after}${average.names[high]} ${pT(row[high])} pT   ${average.names[low]} ${pT(row[low])} pT`;
  const room = (before ? X(cursor) - plot.left : plot.right - X(cursor)) - 6;
  pen.textAlign = before ? "right" : "left";
  pen.fillText(pen.measureText(words).width > room ? short : words, X(cursor) + (before ? -6 : 6), 10);
  $("beat").setAttribute("aria-valuenow", String(ms));
  $("n-beat").textContent = `${average.name} · ${average.nave} beats`;
}

function waiting(pen, width, height, text) { pen.fillStyle = ink.quiet; pen.fillText(text, width / 2, height / 2); }

const covers = document.querySelectorAll(".veil");
function veil() {
  const silent = performance.now() - heard, state = seen.state;
  const offline = !state || silent > STALE_MS;
  const shown = offline ? (state ? "OFFLINE" : "WAITING") : state.state;
  const words = { OFFLINE: `OFFLINE · nothing heard for ${(silent / 1000).toFixed(1)} s`,
    STALE: state && `STALE · no data for ${state.age.toFixed(1)} s`, LATE: state && `LATE · this was ${state.late.toFixed(1)} s ago`,
    ENDED: state && `ENDED · ${state.reason}` }[shown] || "";
  say($("badge"), "textContent", shown); say($("badge"), "className", shown);
  for (const cover of covers) { say(cover, "hidden", !words); say(cover, "textContent", words); }
}

function move(event) {
  if (!plot) return;
  const x = event.clientX - $("beat").getBoundingClientRect().left;
  cursor = plot.start + (x - plot.left) / (plot.right - plot.left) * (plot.stop - plot.start);
  due.add("beat");
}
$("beat").addEventListener("pointerdown", (event) => { $("beat").setPointerCapture(event.pointerId); move(event); });
$("beat").addEventListener("pointermove", (event) => { if (event.buttons) move(event); });
$("beat").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -0.001, ArrowRight: 0.001 }[event.key];
  if (step) { cursor += step * (event.shiftKey ? 10 : 1); due.add("beat"); event.preventDefault(); }
});

// Only what has changed is drawn: `due` names the pictures, a new size or theme is a change of all.
const due = new Set(["map", "traces", "beat"]);
const everything = () => { inks(); ["map", "traces", "beat"].forEach((name) => due.add(name)); };
function draw() {
  if (due.delete("map")) drawMap();
  if (due.delete("traces")) {
    drawTraces(); frames++;
    if (frames % 5 === 0 && keep.t_ns && socket.readyState === WebSocket.OPEN) socket.send(keep.t_ns); // for the latency
  }
  if (due.delete("beat")) drawBeat();
  veil();
  requestAnimationFrame(draw);
}
new ResizeObserver(everything).observe(document.querySelector("main"));
matchMedia("(prefers-color-scheme: light)").addEventListener("change", everything);
setInterval(() => { $("rate").textContent = `${frames} pictures/s`; frames = 0; }, 1000);
everything();
connect();
requestAnimationFrame(draw);
