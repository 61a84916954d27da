"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { rows, texts, curves } = data;
  const byId = (id) => document.getElementById(id);
  const AUROC = 0, FPR_IN = 1, FPR_OUT = 2, AUPR_IN = 3, AUPR_OUT = 4, ERROR = 5, TIES = 6;
  const CLOSE = 2, BEST = 3;
  const PRINTED_ROWS = 2000;

  // ---- elements: text is always set as text, never as markup

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function drawn(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const unseen = (text) => element("span", { class: "unseen" }, text);
  const percent = (value) => (100 * value).toFixed(2);
  const lines = (numbers) => (numbers || []).map((number) => texts[number]);
  const compare = new Intl.Collator("en", { numeric: true }).compare;

  rows.forEach((row, number) => { row.number = number; });
  // Texts are ranked once: comparing numbers sorts ten thousand rows in an instant.
  const rankOf = new Map([...new Set(rows.flatMap((row) => [row.s, row.i, row.o, row.b]))]
    .sort((a, b) => compare(texts[a], texts[b])).map((text, rank) => [text, rank]));

  // ---- the table of results

  const metric = (place) => (row) => row.m[place];
  const COLUMNS = [
    { title: "Scorer", key: (row) => rankOf.get(row.s), fill: fillScorer, head: true },
    { title: "In", key: (row) => rankOf.get(row.i), text: (row) => texts[row.i], css: "wide" },
    { title: "Out", key: (row) => rankOf.get(row.o), text: (row) => texts[row.o], css: "wide" },
    { title: "Backbone", key: (row) => rankOf.get(row.b), text: (row) => texts[row.b], css: "wide" },
    { title: "AUROC", key: metric(AUROC), fill: fillAuroc, best: "descending", css: "number" },
    { title: "FPR95", key: metric(FPR_IN), number: metric(FPR_IN), best: "ascending" },
    { title: "Published", key: (row) => (row.q ? row.q[0][0] : null), fill: fillPublished, best: "descending",
      css: "number", shown: rows.some((row) => row.q) },
    { title: "Expected", key: (row) => (row.x ? row.x[0] : null), fill: fillExpected, best: "descending",
      css: "number", shown: rows.some((row) => row.x) },
    { title: "Doubts", key: (row) => -(row.d || []).length, fill: fillDoubts, css: "text", best: "ascending",
      shown: rows.some((row) => row.d) },
    { title: "FPR95 out", key: metric(FPR_OUT), number: metric(FPR_OUT), best: "ascending" },
    { title: "AUPR in", key: metric(AUPR_IN), number: metric(AUPR_IN), best: "descending" },
    { title: "AUPR out", key: metric(AUPR_OUT), number: metric(AUPR_OUT), best: "descending" },
    { title: "Error", key: metric(ERROR), number: metric(ERROR), best: "ascending" },
    { title: "Images", key: (row) => row.n[1] + row.n[2], fill: fillImages, best: "descending", css: "number" },
  ].filter((column) => column.shown !== false);

  const state = { sort: null, direction: "ascending", page: 0, found: rows, open: new Set() };
  const searched = rows.map((row) => [texts[row.s], texts[row.i], texts[row.o], texts[row.b],
    ...lines(row.d), ...lines(row.t), ...lines(row.e)].join("\n").toLowerCase());

  function fillScorer(cell, row) {
    const open = state.open.has(row.number);
    const toggle = element("button", { type: "button", class: "toggle", "aria-expanded": String(open) },
      element("span", { class: "name" }, texts[row.s]));
    toggle.addEventListener("click", () => toggleDetail(toggle, row));
    cell.append(toggle, element("span", { class: "sub" }, `${texts[row.i]} : ${texts[row.o]}, ${texts[row.b]}`));
  }

  function standing(row, within) {
    const place = row.r[within ? 1 : 0];
    if (place === BEST) return ["best", "", "best, "];
    return place === CLOSE ? ["close", "≈", "not significantly worse than the best, "] : ["", "", ""];
  }

  function fillAuroc(cell, row) {
    const value = row.m[AUROC];
    if (value === null) {
      cell.append(element("span", { class: "failure" }, "failed"), element("span", { class: "mark" }));
      return;
    }
    const [css, sign, said] = standing(row, false);
    const figure = element("span", css === "best" ? { class: "best" } : {}, percent(value));
    const mark = element("span", { class: "mark", "aria-hidden": "true" }, sign);
    const dagger = element("span", { class: "mark doubted", "aria-hidden": "true" }, row.d ? "†" : "");
    if (row.d) dagger.title = lines(row.d).join("\n");
    cell.append(unseen(said), mark, figure, dagger);
    if (row.d) cell.append(unseen(" doubtful"));
    if (row.c[0] !== null) cell.append(element("span", { class: "range" }, `${percent(row.c[0])}–${percent(row.c[1])}`));
  }

  function gap(value, other) {
    const points = 100 * (value - other);
    return `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(2)}`;
  }

  function fillPublished(cell, row) {
    if (!row.q) return;
    const [value, source] = row.q[0];
    cell.title = texts[source];
    cell.append(percent(value));
    if (row.m[AUROC] !== null) cell.append(element("span", { class: "quiet" }, ` ${gap(row.m[AUROC], value)}`));
  }

  function fillExpected(cell, row) {
    if (!row.x) return;
    const [value, tolerance] = row.x;
    const off = row.m[AUROC] === null || Math.abs(row.m[AUROC] - value) > tolerance;
    cell.append(percent(value), element("span", { class: off ? "failure" : "quiet" }, off ? " missed" : " met"));
  }

  function fillImages(cell, row) {
    cell.append(`${row.n[1].toLocaleString("en")} + ${row.n[2].toLocaleString("en")}`);
  }

  function fillDoubts(cell, row) {
    const text = lines(row.d).join("; ");
    cell.append(element("span", { class: "clamped", title: text }, text));
  }

  function fillCell(cell, column, row) {
    if (column.fill) {
      column.fill(cell, row);
    } else if (column.text) {
      cell.append(element("span", { class: "name" }, column.text(row)));
    } else {
      const value = column.number(row);
      cell.append(value === null ? "" : percent(value));
    }
  }

  function resultRow(row) {
    const made = element("tr", state.open.has(row.number) ? { class: "open" } : {});
    for (const column of COLUMNS) {
      const css = column.css || (column.head ? "" : "number");
      const cell = element(column.head ? "th" : "td", column.head ? { scope: "row" } : {});
      if (css) cell.className = css;
      fillCell(cell, column, row);
      made.append(cell);
    }
    return made;
  }

  function drawHead() {
    const head = element("tr");
    COLUMNS.forEach((column, place) => {
      const button = element("button", { type: "button" }, column.title);
      button.addEventListener("click", () => sortBy(place));
      const css = column.css || (column.head ? "" : "number");
      head.append(element("th", css ? { scope: "col", class: css } : { scope: "col" }, button));
    });
    byId("table").tHead.replaceChildren(head);
  }

  function sortBy(place) {
    const first = COLUMNS[place].best || "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    state.direction = state.sort === place && state.direction === first ? other : first;
    state.sort = place;
    state.page = 0;
    order();
    draw();
  }

  function order() {
    [...byId("table").tHead.rows[0].cells].forEach((cell, place) => {
      if (place === state.sort) cell.setAttribute("aria-sort", state.direction);
      else cell.removeAttribute("aria-sort");
    });
    if (state.sort === null) return;
    const { key } = COLUMNS[state.sort];
    const sign = state.direction === "ascending" ? 1 : -1;
    state.found = [...state.found].sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === null || y === null) return (x === null) - (y === null) || a.number - b.number;
      return sign * (x - y) || a.number - b.number;
    });
  }

  const FILTERS = [["i", "all"], ["o", "all"], ["b", "all"], ["s", "all"]];

  function filter() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = FILTERS.map(([key]) => [key, byId(`filter-${key}`).value]).filter(([, value]) => value !== "");
    const show = byId("filter-show").value;
    state.found = rows.filter((row) =>
      chosen.every(([key, value]) => row[key] === Number(value))
      && (show === "all" || (show === "top" && row.r[0] >= CLOSE) || (show === "doubts" && row.d) || (show === "failed" && row.e))
      && words.every((word) => searched[row.number].includes(word)));
    state.page = 0;
    order();
    draw();
  }

  function draw(all = false) {
    const size = all ? PRINTED_ROWS : Number(byId("size").value);
    const pages = Math.max(1, Math.ceil(state.found.length / size));
    state.page = Math.min(state.page, pages - 1);
    const start = all ? 0 : state.page * size;
    const shown = state.found.slice(start, start + size);
    const body = document.createDocumentFragment();
    for (const row of shown) {
      body.append(resultRow(row));
      if (state.open.has(row.number)) body.append(detailRow(row));
    }
    byId("table").tBodies[0].replaceChildren(body);
    const range = shown.length ? `${(start + 1).toLocaleString("en")}–${(start + shown.length).toLocaleString("en")} of ` : "";
    const sorted = state.sort === null ? "" : `, by ${COLUMNS[state.sort].title}, ${state.direction}`;
    byId("status").textContent = `${range}${state.found.length.toLocaleString("en")} cells${sorted}`;
    byId("page").textContent = `Page ${state.page + 1} of ${pages}`;
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page >= pages - 1;
  }

  function turn(by) {
    state.page += by;
    draw();
    byId("table").scrollIntoView({ block: "start" });
  }

  // ---- what a row opens

  function toggleDetail(toggle, row) {
    const above = toggle.closest("tr");
    if (state.open.delete(row.number)) {
      above.nextElementSibling.remove();
    } else {
      state.open.add(row.number);
      above.after(detailRow(row));
    }
    const open = state.open.has(row.number);
    above.classList.toggle("open", open);
    toggle.setAttribute("aria-expanded", String(open));
  }

  function detailRow(row) {
    const panels = element("div", { class: "panels" });
    const curve = curves[row.number];
    if (curve) panels.append(histogram(row, curve), roc(row, curve));
    panels.append(facts(row));
    return element("tr", { class: "detail" }, element("td", { colspan: COLUMNS.length }, panels));
  }

  function list(title, found, css = "") {
    if (!found.length) return [];
    return [element("h3", css ? { class: css } : {}, title), element("ul", { class: "lines" }, ...found.map((line) => element("li", {}, line)))];
  }

  function facts(row) {
    const made = element("dl", { class: "facts" });
    const add = (name, value) => made.append(element("dt", {}, name), element("dd", {}, value));
    if (row.m[AUROC] !== null && row.c[0] !== null) add("AUROC", `${percent(row.m[AUROC])}, 95 % interval ${percent(row.c[0])}–${percent(row.c[1])}`);
    if (row.k) add("AUROC by seed", row.k.map(percent).join(", "));
    if (row.p !== undefined) add("against the best", `p = ${row.p} (paired DeLong, Holm)`);
    if (row.m[TIES]) add("ties", `${percent(row.m[TIES])} % of pairs of images`);
    add("images", `${row.n[0].toLocaleString("en")} fitted, ${row.n[1].toLocaleString("en")} in, ${row.n[2].toLocaleString("en")} out`);
    for (const [value, source] of row.q || []) {
      add("published", `${percent(value)}${row.m[AUROC] === null ? "" : ` (here ${gap(row.m[AUROC], value)})`}: ${texts[source]}`);
    }
    if (row.x) add("expected", `${percent(row.x[0])} ± ${percent(row.x[1])}`);
    add("in", texts[row.i]);
    add("out", texts[row.o]);
    add("backbone", texts[row.b]);
    for (let place = 0; place < row.f.length; place += 2) add(texts[row.f[place]], texts[row.f[place + 1]]);
    return element("div", {}, ...list("Error", lines(row.e), "failure"), ...list("Doubts", lines(row.d)), ...list("Notes", lines(row.t)), made);
  }

  const WIDTH = 320, HEIGHT = 200, LEFT = 34, BOTTOM = 24, TOP = 8;

  function histogram(row, [low, high, inside, outside]) {
    const bins = inside.length, step = (WIDTH - 2 * 8) / bins;
    const most = Math.max(...inside, ...outside, 1);
    const y = (value) => (HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP)).toFixed(1);
    const path = (values) => `M8 ${y(0)}${values.map((value, bin) => `V${y(value)}H${(8 + (bin + 1) * step).toFixed(1)}`).join("")}V${y(0)}`;
    const short = (value) => String(Number(value.toPrecision(3)));
    const tick = (x, anchor, text) => drawn("text", { x, y: HEIGHT - 8, "text-anchor": anchor, class: "tick" }, text);
    const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img",
      "aria-label": `Histograms of the scores of ${texts[row.i]} and ${texts[row.o]}, from ${short(low)} to ${short(high)}` },
    drawn("path", { d: path(inside), class: "in-area" }), drawn("path", { d: path(outside), class: "out-area" }),
    drawn("path", { d: `M8 ${y(0)}H${WIDTH - 8}`, class: "axis" }),
    tick(8, "start", short(low)), tick(WIDTH / 2, "middle", short((low + high) / 2)), tick(WIDTH - 8, "end", short(high)));
    return element("figure", {}, picture, element("figcaption", {}, "Scores: ", element("b", { class: "in-name" }, `in, filled: ${texts[row.i]}`), "; ",
      element("b", { class: "out-name" }, `out, outlined: ${texts[row.o]}`), ". Each set is scaled to its size; the ends hold what lies beyond."));
  }

  function bestOf(row) {
    return rows.find((other) => other.i === row.i && other.o === row.o && other.r[0] === BEST && curves[other.number]);
  }

  function roc(row, curve) {
    const side = HEIGHT - BOTTOM - TOP;
    const path = ([, , , , wrong, right]) => wrong.map((x, place) =>
      `${place ? "L" : "M"}${(LEFT + x / 1000 * side).toFixed(1)} ${(TOP + side - right[place] / 1000 * side).toFixed(1)}`).join("");
    const tick = (x, y, anchor, text) => drawn("text", { x, y, "text-anchor": anchor, class: "tick" }, text);
    const picture = drawn("svg", { viewBox: `0 0 ${LEFT + side + 12} ${HEIGHT}`, width: LEFT + side + 12, height: HEIGHT, role: "img",
      "aria-label": `ROC curve, AUROC ${percent(row.m[AUROC])} per cent` },
    drawn("rect", { x: LEFT, y: TOP, width: side, height: side, class: "axis" }),
    drawn("path", { d: `M${LEFT} ${TOP + side}L${LEFT + side} ${TOP}`, class: "axis", "stroke-dasharray": "1 4" }),
    tick(LEFT - 5, TOP + side, "end", "0"), tick(LEFT - 5, TOP + 9, "end", "100"),
    tick(LEFT, HEIGHT - 8, "middle", "0"), tick(LEFT + side, HEIGHT - 8, "middle", "100"));
    const best = bestOf(row);
    if (best && best !== row) picture.append(drawn("path", { d: path(curves[best.number]), class: "other-curve" }));
    picture.append(drawn("path", { d: path(curve), class: "curve" }));
    const other = best && best !== row ? ` Dashed: the best of the pair, ${texts[best.s]}, ${texts[best.b]}.` : "";
    return element("figure", {}, picture, element("figcaption", {}, `ROC: in-images accepted (up) against out-images accepted (right), per cent.${other}`));
  }

  // ---- the overview: methods down, pairs across

  function drawMap() {
    const backbone = byId("map-backbone").value, place = byId("map-metric").value === "1" ? FPR_IN : AUROC;
    const within = backbone !== "";
    const chosen = rows.filter((row) => !within || row.b === Number(backbone));
    const pairs = new Map(), methods = new Map();
    for (const row of chosen) {
      const pair = `${row.i} ${row.o}`, name = `${row.s} ${row.b}`;
      if (!pairs.has(pair)) pairs.set(pair, row);
      if (!methods.has(name)) methods.set(name, { row, cells: new Map() });
      methods.get(name).cells.set(pair, row);
    }
    const order = [...pairs.keys()].sort((a, b) => pairs.get(a).number - pairs.get(b).number);
    const insets = [...new Set(order.map((pair) => pairs.get(pair).i))];
    const columns = insets.flatMap((inset) => order.filter((pair) => pairs.get(pair).i === inset));
    const up = place === AUROC;
    const ranked = [...methods.values()].map((method) => {
      const found = columns.map((pair) => method.cells.get(pair)).map((row) => (row ? row.m[place] : null)).filter((v) => v !== null);
      return { ...method, count: found.length, mean: found.length ? found.reduce((a, b) => a + b, 0) / found.length : null };
    }).sort((a, b) => b.count - a.count || (up ? b.mean - a.mean : a.mean - b.mean));
    const groups = element("tr", {}, element("td", {}));
    for (const inset of insets) {
      const span = columns.filter((pair) => pairs.get(pair).i === inset).length;
      groups.append(element("th", { class: "group", scope: "colgroup", colspan: span }, `in: ${texts[inset]}`));
    }
    const head = element("tr", {}, element("th", { scope: "col" }, "Scorer"),
      ...columns.map((pair) => element("th", { scope: "col" }, texts[pairs.get(pair).o])));
    if (columns.length > 1) {
      groups.append(element("td", {}));
      head.append(element("th", { scope: "col" }, "mean"));
    }
    const body = document.createDocumentFragment();
    for (const method of ranked) {
      const name = within ? texts[method.row.s] : `${texts[method.row.s]}, ${texts[method.row.b]}`;
      const line = element("tr", {}, element("th", { scope: "row" }, element("span", { class: "name" }, name)));
      for (const pair of columns) line.append(mapCell(method.cells.get(pair), place, within));
      if (columns.length > 1) line.append(meanCell(method, columns.length));
      body.append(line);
    }
    const table = byId("map-table");
    table.tHead.replaceChildren(groups, head);
    table.tBodies[0].replaceChildren(body);
    table.caption.firstElementChild.textContent = up
      ? "AUROC in per cent; the stronger the colour, the higher; orange below 50"
      : "FPR95 in per cent, lower is better; the stronger the colour, the lower";
  }

  function mapCell(row, place, within) {
    const cell = element("td");
    if (!row) return cell;
    const value = row.m[place];
    if (value === null) {
      cell.className = "failure";
      cell.append("failed");
      cell.title = lines(row.e).join("\n");
      return cell;
    }
    const good = place === AUROC ? 2 * value - 1 : 1 - value;
    cell.style.backgroundColor = `rgba(var(${good < 0 ? "--map-low" : "--map"}), calc(var(--map-most) * ${(good * good).toFixed(3)}))`;
    const [css, sign, said] = place === AUROC ? standing(row, within) : ["", "", ""];
    const number = element("span", css === "best" ? { class: "best" } : {}, (100 * value).toFixed(1));
    const dagger = element("span", { class: "mark", "aria-hidden": "true" }, row.d ? "†" : "");
    cell.append(unseen(said), element("span", { class: "mark", "aria-hidden": "true" }, sign), number, dagger);
    const about = [...lines(row.d)];
    if (place === AUROC && row.c[0] !== null) about.unshift(`95 % interval ${percent(row.c[0])}–${percent(row.c[1])}`);
    if (row.d) cell.append(unseen(" doubtful"));
    cell.title = about.join("\n");
    return cell;
  }

  function meanCell(method, wanted) {
    // A mean over fewer pairs is not comparable, so none is shown.
    return element("td", { class: method.count < wanted ? "empty" : "" }, method.count < wanted ? "–" : (100 * method.mean).toFixed(1));
  }

  // ---- start

  function fillSelect(id, key, all) {
    const select = byId(id);
    const found = [...new Set(rows.map((row) => row[key]))];  // in the order of the suite
    if (all !== null) select.append(element("option", { value: "" }, all));
    for (const text of found) select.append(element("option", { value: text }, texts[text]));
    return found;
  }

  if (!rows.length) return;
  for (const [key, all] of FILTERS) fillSelect(`filter-${key}`, key, all);
  const several = new Set(rows.map((row) => row.b)).size > 1;
  fillSelect("map-backbone", "b", several ? "all" : null);
  if (several) byId("map-backbone").value = String(rows[0].b);
  byId("map-backbone").closest("label").hidden = !several;
  byId("map-backbone").addEventListener("change", drawMap);
  byId("map-metric").addEventListener("change", drawMap);
  const form = byId("filters");
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { showIntervals(); filter(); }));
  const showIntervals = () => byId("table").classList.toggle("with-intervals", byId("intervals").checked);
  byId("intervals").addEventListener("change", showIntervals);
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  byId("size").addEventListener("change", () => draw());
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw());
  drawHead();
  drawMap();
  draw();
})();
