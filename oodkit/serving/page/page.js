"use strict";

// Each image is a request of its own, so that one that cannot be read spoils no other; the server gathers them again.
const AT_ONCE = 4;
const TRIES = 30;

const form = document.getElementById("form");
const input = document.getElementById("files");
const list = document.getElementById("list");
const waiting = [];
let limits = null;
let running = 0;
let counts = { done: 0, ood: 0, failed: 0, all: 0 };
let round = 0; // "Clear" begins another one: answers to an earlier one are dropped

function element(kind, text, ...classes) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  made.classList.add(...classes);
  return made;
}

function size(bytes) {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} kB` : `${Math.round(bytes / 2 ** 20)} MB`;
}

async function about() {
  const answer = await fetch("health");
  const health = await answer.json();
  limits = health.limits;
  document.getElementById("about").textContent = health.detector;
  document.getElementById("hint").textContent =
    `Up to ${size(limits.body_bytes)} and ${Math.round(limits.pixels / 1e6)} megapixels each.`;
  document.getElementById("guarantee").textContent =
    `Flagged is an image with a score below ${number(health.threshold)}: ${health.guarantee}.`;
}

function number(value) {
  return value === null ? "not a number" : Number(value.toPrecision(6)).toString();
}

function add(files) {
  for (const file of files) {
    const row = element("li");
    const picture = element("div", undefined, "picture");
    const image = element("img");
    image.alt = "";
    image.src = URL.createObjectURL(file);
    image.onload = () => URL.revokeObjectURL(image.src);
    image.onerror = () => { URL.revokeObjectURL(image.src); image.remove(); };
    picture.append(image);
    const text = element("div");
    text.append(element("p", file.name, "name"), element("p", "waiting", "quiet"));
    row.append(picture, text);
    list.prepend(row);
    waiting.push({ file, text, round });
    counts.all += 1;
  }
  document.getElementById("results").hidden = counts.all === 0;
  report();
  while (running < AT_ONCE && waiting.length) work();
}

async function work() {
  running += 1;
  while (waiting.length) {
    const { file, text, round: mine } = waiting.shift();
    let found = null, fault = null;
    try {
      found = await ask(file);
    } catch (error) {
      fault = error instanceof TypeError ? "the server does not answer" : error.message;
    }
    if (mine !== round) continue;
    counts.done += 1;
    counts.failed += fault !== null;
    counts.ood += found?.images[0].ood === true;
    text.lastChild.remove();
    text.append(...(fault === null ? verdict(found) : [element("p", fault, "fault")]));
    report();
  }
  running -= 1;
}

async function ask(file) {
  if (limits && file.size > limits.body_bytes) throw new Error(`larger than ${size(limits.body_bytes)}`);
  for (let left = TRIES; ; left -= 1) {
    const body = new FormData();
    body.append("images", file);
    const answer = await fetch("predict", { method: "POST", body });
    if (answer.status === 503 && left > 0) {
      await new Promise(done => setTimeout(done, 1000 * (Number(answer.headers.get("Retry-After")) || 1)));
      continue;
    }
    const found = await answer.json().catch(() => ({ error: `the server answers ${answer.status}` }));
    if (!answer.ok) throw new Error(found.error);
    return found;
  }
}

function verdict({ threshold, images: [image] }) {
  const mark = element("p");
  mark.append(element("span", image.ood ? "flagged as OOD" : "not flagged", "verdict", image.ood ? "ood" : "in"));
  const facts = element("dl");
  const fact = (name, value) => facts.append(element("dt", name), value);
  fact("score", element("dd", `${number(image.score)} (threshold ${number(threshold)})`));
  fact("p-value", element("dd", number(image.p_value)));
  if (image.neighbours.length) {
    const near = element("ol");
    for (const one of image.neighbours) near.append(element("li", `${one.id} (${one.cosine.toFixed(3)})`));
    const value = element("dd");
    value.append(near);
    fact("most like", value);
  }
  return [mark, facts];
}

function report() {
  const failed = counts.failed ? `, ${counts.failed} not judged` : "";
  document.getElementById("status").textContent =
    `${counts.done} of ${counts.all} done: ${counts.ood} flagged${failed}`;
}

function clear() {
  round += 1;
  waiting.length = 0;
  counts = { done: 0, ood: 0, failed: 0, all: 0 };
  list.replaceChildren();
  document.getElementById("results").hidden = true;
  input.focus();
}

input.addEventListener("change", () => { add([...input.files]); input.value = ""; });
form.addEventListener("submit", event => event.preventDefault());
document.getElementById("clear").addEventListener("click", clear);
document.addEventListener("paste", event => add([...event.clipboardData.files]));
document.addEventListener("dragover", event => { event.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", event => { if (!event.relatedTarget) document.body.classList.remove("over"); });
document.addEventListener("drop", event => {
  event.preventDefault();
  document.body.classList.remove("over");
  add([...event.dataTransfer.files]);
});
about().catch(() => { document.getElementById("about").textContent = "The server does not answer."; });
