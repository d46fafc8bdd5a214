"use strict";
// The explorer: any noise, by slider, typed, or by a press into a picture. From the spectrum alone it says what the
// optimum retains, marks the noise in every picture over noise, and draws a slice of the landscape.
// Whoever else wants to know listens to the event "noise": {sigma2, effective: βσ², retained, most, k, said}.
(() => {
  const data = JSON.parse(document.getElementById("spectrum").textContent);
  const lam = data.eigenvalues.filter((x) => x > 0);
  const n = data.eigenvalues.length, k = data.k, beta = data.beta;
  const element = (id) => document.getElementById(id);
  const slider = element("slider"), typed = element("typed"), readout = element("readout"), wrong = element("wrong");
  const canvas = element("canvas"), bar = element("bar");
  const [low, high] = data.range.map(Math.log);
  const cividis = [[0, 34, 78], [58, 72, 107], [124, 123, 120], [187, 172, 104], [254, 232, 56]];
  const BANDS = 12; // so that contours are seen

  // --- numbers and words ---------------------------------------------------------------------------------------------

  const sub = (j) => String(j).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);
  const raised = (text) => text.replace(/[-\d]/g, (d) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(d)]);
  // A noise to its last digit: the noise that is shown is the noise that is computed with.
  const exact = (x) => {
    if (x >= 1e-4 && x < 1e6) return String(x);
    const [mantissa, power] = x.toExponential().split("e");
    return `${mantissa} × 10${raised(String(+power))}`;
  };
  const shown = (x, digits = 6) => {
    const size = Math.abs(x), rounded = +x.toPrecision(digits);
    if (x === 0 || (size >= 1e-4 && size < 1e6)) {
      const [whole, rest] = String(Math.abs(rounded)).split(".");
      const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, ",") : whole;
      return `${rounded < 0 ? "−" : ""}${grouped}${rest ? `.${rest}` : ""}`;
    }
    const [mantissa, power] = rounded.toExponential().split("e");
    return `${mantissa.replace("-", "−")} × 10${raised(String(+power))}`;
  };
  const counted = (least, most) => least === most ? `${least}` : `${least} ${most === least + 1 ? "or" : "to"} ${most}`;
  const names = (first, count) => count === 1 ? `λ${sub(first + 1)}` : `λ${sub(first + 1)} to λ${sub(first + count)}`;
  // What was typed, 0.5, 1e-3 or 3 × 10⁻⁵ as the page prints it; a sentence where that is no noise.
  const read = (text) => {
    const plain = text.trim().replace(/\s*[×x*]\s*10\^?([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|-?\d+)$/, (_, power) =>
      `e${power.replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (c) => "-0123456789"["⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)])}`).replace("−", "-");
    if (!plain) return "Type a number greater than 0, for instance 0.5 or 1e-3.";
    if (/^\d*,\d+$/.test(plain)) return `“${plain}” can be read in two ways: write a point for the decimals, and no commas.`;
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return `“${text.trim().slice(0, 20)}” is no number: write it like 0.5 or 1e-3.`;
    const value = Number(plain);
    if (/^-/.test(plain) || !/[1-9]/.test(plain.split(/e/i)[0])) return "A noise is greater than 0.";
    if (value < 1e-300) return "That is too small to compute with.";
    return value > 1e300 ? "That is too large to compute with." : value;
  };

  // --- theory --------------------------------------------------------------------------------------------------------

  // A decimal as a whole number and a power of ten: "2.5e-3" as 25 and -4.
  const decimal = (x) => {
    const [mantissa, power = "0"] = String(x).split("e"), [whole, rest = ""] = mantissa.split(".");
    return [BigInt(whole + rest), +power - rest.length];
  };
  // What eigenvalues are compared with: βσ², as decimals have it (3 × 0.1 is 0.3), to the last digit.
  const product = (sigma2) => {
    const [a, p] = decimal(beta), [b, q] = decimal(sigma2);
    return [a * b, p + q];
  };
  const effective = (sigma2) => beta === 1 ? sigma2 : Number(product(sigma2).join("e"));
  // The sign of x − βσ²; neighbours that are one double may be two decimals.
  const side = (x, sigma2, s) => {
    if (beta === 1 || Math.abs(x - s) > 1e-14 * s) return Math.sign(x - s);
    const [a, p] = decimal(x), [b, q] = product(sigma2), least = Math.min(p, q);
    const left = a * 10n ** BigInt(p - least), right = b * 10n ** BigInt(q - least);
    return left > right ? 1 : left < right ? -1 : 0;
  };
  const compared = beta === 1 ? "this noise" : `${beta} times this noise`;
  const value = beta === 1 ? "L" : `ELBO (β = ${beta})`;
  const over = beta === 1 ? "" : `/${beta}`;
  // A noise within the error of an eigenvalue, 0 where that was typed, ties with it: as Eigenvalues.position has it.
  const place = (sigma2) => {
    const s = effective(sigma2);
    const ties = (x, i) => data.errors[i] > 0 ? Math.abs(x - s) <= data.errors[i] : side(x, sigma2, s) === 0;
    const near = data.eigenvalues.map((x, i) => (ties(x, i) ? i : -1)).filter((i) => i >= 0);
    if (!near.length) return { above: lam.filter((x) => side(x, sigma2, s) > 0).length, level: 0, open: false };
    const first = near[0], last = near[near.length - 1];
    return { above: first, level: last - first + 1, open: near.some((i) => data.errors[i] > 0) };
  };
  const held = (s) => {
    const { above, level, open } = place(s), q = Math.min(k, above);
    return { above, level, open, q, most: open ? Math.min(k, above + level) : q };
  };
  // L at the optimum, or the ELBO with its KL weighted by β: −1/2 Σ [log 2πσ² + β (log λ/βσ² + 1) or λ/σ²], the former
  // where retained.
  const likelihood = (sigma2, q) => -0.5 * data.eigenvalues.reduce((sum, x, i) =>
    sum + Math.log(2 * Math.PI * sigma2) + (i < q ? beta * (Math.log(x / (beta * sigma2)) + 1) : x / sigma2), 0);

  // --- the slice -----------------------------------------------------------------------------------------------------

  const colour = (t) => {
    const banded = Math.round(t * BANDS) / BANDS;
    const x = Math.min(0.9999, Math.max(0, banded)) * (cividis.length - 1), i = Math.floor(x), f = x - i;
    return [...cividis[i].map((c, m) => c + f * (cividis[i + 1][m] - c)), 255];
  };
  const paint = (target, value) => {
    const { width, height } = target, context = target.getContext("2d"), image = context.createImageData(width, height);
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) image.data.set(colour(value(x, y)), 4 * (y * width + x));
    context.putImageData(image, 0, 0);
    return context;
  };
  // Two zero columns moved along u_i and u_j: const + f_i(a) + f_j(b), f(a) = −β/2 [log(a² + s) + λ/(a² + s)], s = βσ².
  const slice = (sigma2, above) => {
    const s = effective(sigma2);
    const [i, j] = data.directions, [li, lj] = data.directions.map((d) => data.eigenvalues[d - 1]);
    const size = canvas.width, reach = 1.6 * Math.sqrt(Math.max(li, lj) || s);
    const along = (l) => Float64Array.from({ length: size }, (_, p) => {
      const a = reach * (2 * (p + 0.5) / size - 1), c = a * a + s;
      return -0.5 * beta * (Math.log(c) + l / c);
    });
    const f = along(li), g = along(lj);
    const top = Math.max(...f) + Math.max(...g), least = Math.min(...f) + Math.min(...g);
    // A pit at the centre is as deep as λ/σ²; what lies below the corners would leave no colours for the rest.
    const bottom = Math.max(least, top - 3 * (top - (f[0] + g[0]))), depth = top - bottom;
    const context = paint(canvas, (x, y) => (depth > 0 ? (f[x] + g[size - 1 - y] - bottom) / depth : 0.5));
    context.beginPath();
    context.arc(size / 2, size / 2, 4, 0, 2 * Math.PI);
    context.fillStyle = "white"; context.strokeStyle = "black";
    context.fill(); context.stroke();
    paint(bar, (_, y) => 1 - y / bar.height);
    const count = data.directions.filter((d) => d <= above).length, ui = `u${sub(i)}`, uj = `u${sub(j)}`;
    const stable = ["stable in both directions", `unstable towards ${ui} alone`, "unstable towards both"][count];
    element("lowest").textContent = `${shown(depth, 2)}${least < bottom ? " or more" : ""}`;
    element("level").textContent = `a column along ${ui}, to ±${shown(reach, 2)}`;
    element("upright").textContent = `another along ${uj}`;
    element("sliced").textContent = `The landscape at σ² = ${exact(sigma2)}: two zero columns moved along ${ui} and ${uj}. ` +
      `W with both at 0, the circle, is ${stable}.`;
    canvas.setAttribute("aria-label", `Landscape slice at noise ${exact(sigma2)}: ${stable}`);
  };

  // --- pictures over noise -------------------------------------------------------------------------------------------

  const SVG = "http://www.w3.org/2000/svg";
  const at = ([a, b, from, to, scale], value) =>
    a + (b - a) * (scale === "log" ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from));
  const back = ([a, b, from, to, scale], place) => {
    const t = (place - a) / (b - a);
    return scale === "log" ? from * (to / from) ** t : from + t * (to - from);
  };
  const inside = ([a, b], place) => place >= Math.min(a, b) - 0.5 && place <= Math.max(a, b) + 0.5;
  // Of each picture: along which axis its noise runs, what stands at the cursor, what at the pointer.
  const KINDS = {
    retained: ["x", (s, h) => `${counted(h.q, h.most)} of ${k}`, (s, h) => `${counted(h.q, h.most)} of ${k} retained`],
    phase: ["x", (s, h) => `λ${over} > σ² for ${h.above}`, (s, h, j) => {
      const d = Math.round(j);
      if (d < 1 || d > n) return "";
      const what = d <= h.q ? "retained" : d <= h.most ? "undecided" : d <= h.above ? "unstable, but not retained" : "collapsed";
      return `λ${sub(d)}${over} = ${shown(data.eigenvalues[d - 1] / beta)}: ${what}`;
    }],
    likelihood: ["x", (s, h) => shown(likelihood(s, h.q)), (s, h) => `${value} = ${shown(likelihood(s, h.q))}`],
    scree: ["y", (s, h) => `${h.above} above`, (s, h, j) => {
      const d = Math.round(j);
      return d >= 1 && d <= n ? `λ${sub(d)}${over} = ${shown(data.eigenvalues[d - 1] / beta)}` : "";
    }],
  };
  const charts = Object.entries(KINDS).flatMap(([name, [axis, label, hint]]) =>
    [...document.querySelectorAll(`svg.${name}[data-axes]`)].flatMap((svg) => {
      try {
        const { x, y } = JSON.parse(svg.dataset.axes), group = document.createElementNS(SVG, "g");
        group.setAttribute("class", "cursor");
        const [line, back, text] = ["line", "rect", "text"].map((tag) => group.appendChild(document.createElementNS(SVG, tag)));
        svg.append(group);
        return [{ svg, axis, label, hint, x, y, group, line, back, text }];
      } catch { return []; }
    }));
  const put = (node, attributes) => Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  // The label goes where it hides no other: beside the line, at the first free height.
  const settle = (chart, line) => {
    const { svg, text, back } = chart, [left, right] = [chart.x[0], chart.x[1]], [top, bottom] = [chart.y[0], chart.y[1]].sort((a, b) => a - b);
    const others = [...svg.querySelectorAll("text")].filter((t) => t !== text).map((t) => t.getBoundingClientRect());
    const width = text.getBBox().width, places = [];
    for (let step = 0; step < 8; step += 1) {
      const share = 0.06 + 0.12 * ((step + 1) % 8);
      if (chart.axis === "x") {
        const y = top + share * (bottom - top) + 6;
        if (line + 5 + width <= right) places.push([line + 5, y]);
        if (line - 5 - width >= left) places.push([line - 5 - width, y]);
      } else {
        const x = left + 6 + share * (right - left - width);
        places.push([x, line - 5 >= top + 9 ? line - 5 : line + 12], [x, line + 12]);
      }
    }
    if (!places.length) places.push([Math.max(left, line - width / 2), top + 10]);
    const free = places.find(([x, y]) => {
      put(text, { x, y });
      const box = text.getBoundingClientRect();
      return !others.some((other) => meets(box, other));
    }) || places[0];
    put(text, { x: free[0], y: free[1] });
    const box = text.getBBox();
    put(back, { x: box.x - 2, y: box.y, width: box.width + 4, height: box.height });
  };
  const mark = (chart, s, h) => {
    const axis = chart[chart.axis], line = at(axis, s), there = Number.isFinite(line) && inside(axis, line);
    chart.group.style.display = there ? "" : "none";
    if (!there) return;
    const [left, right, top, bottom] = [chart.x[0], chart.x[1], chart.y[0], chart.y[1]];
    put(chart.line, chart.axis === "x" ? { x1: line, x2: line, y1: top, y2: bottom } : { x1: left, x2: right, y1: line, y2: line });
    chart.text.textContent = chart.label(s, h);
    settle(chart, line);
  };
  const tip = document.createElement("div");
  tip.className = "tip"; tip.hidden = true; tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  // The noise at the pointer, rounded as one reads it, and where it is on the other axis.
  const pointed = (chart, event) => {
    const to = chart.svg.getScreenCTM();
    if (!to) return null;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(to.inverse());
    if (!inside(chart.x, x) || !inside(chart.y, y)) return null;
    const [noise, other] = chart.axis === "x" ? [back(chart.x, x), back(chart.y, y)] : [back(chart.y, y), back(chart.x, x)];
    return { noise: +noise.toPrecision(3), other };
  };
  charts.forEach((chart) => {
    chart.svg.classList.add("explorable");
    chart.svg.addEventListener("pointermove", (event) => {
      const found = pointed(chart, event);
      tip.hidden = !found;
      if (!found) return;
      const said = chart.hint(found.noise, held(found.noise), found.other);
      tip.textContent = said ? `σ² = ${exact(found.noise)}; ${said}` : `σ² = ${exact(found.noise)}`;
      const right = event.clientX + 14 + tip.offsetWidth < document.documentElement.clientWidth;
      tip.style.left = `${Math.max(4, right ? event.clientX + 14 : event.clientX - 14 - tip.offsetWidth)}px`;
      tip.style.top = `${Math.max(4, event.clientY - 14 - tip.offsetHeight)}px`;
    });
    chart.svg.addEventListener("pointerleave", () => { tip.hidden = true; });
    chart.svg.addEventListener("click", (event) => {
      const found = pointed(chart, event);
      if (found) choose(found.noise);
    });
  });

  // --- one noise -----------------------------------------------------------------------------------------------------

  const show = (s) => {
    const h = held(s), { above, level, q, most } = h, e = effective(s);
    const first = `σ² = ${exact(s)}: ${counted(q, most)} of ${k} latents retained, ${counted(k - most, k - q)} collapsed.`;
    const tied = most > q ? ` Rounding cannot tell ${names(above, level)} from ${compared}.`
      : level && above < k ? ` ${names(above, level)} ${level > 1 ? "equal" : "equals"} ${compared}, which counts as collapsed.` : "";
    const escape = above ? `From W = 0 the fastest escape is along u₁, at rate ${shown(beta * (lam[0] - e) / e / e)}.`
      : most ? "Whether W = 0 is the global optimum is undecided." : "W = 0 is the global optimum.";
    const bold = document.createElement("b"), rest = document.createElement("span");
    bold.textContent = first;
    rest.className = "rest";
    rest.textContent = ` ${value} = ${shown(likelihood(s, q))} nats per datum at this optimum. ${escape}`;
    readout.replaceChildren(bold, tied, rest);
    slider.setAttribute("aria-valuetext", `noise ${exact(s)}`);
    charts.forEach((chart) => mark(chart, s, h));
    if (data.directions && n > 1) slice(s, above);
    document.dispatchEvent(new CustomEvent("noise", { detail: { sigma2: s, effective: e, retained: q, most, k, said: exact(s) } }));
  };
  const complain = (text) => {
    wrong.textContent = text;
    typed.setAttribute("aria-invalid", String(Boolean(text)));
  };
  const slide = (s) => { slider.value = Math.round(slider.max * (Math.log(s) - low) / (high - low)); };
  // From anywhere but the field: the field shows it, too.
  const choose = (s) => { typed.value = String(s); complain(""); slide(s); show(s); };
  slider.addEventListener("input", () => {
    const s = +Math.exp(low + (high - low) * slider.value / slider.max).toPrecision(4);
    typed.value = String(s); complain(""); show(s);
  });
  typed.addEventListener("input", () => {
    const s = read(typed.value);
    if (typeof s === "number") { complain(""); slide(s); show(s); }
  });
  // Half a number is no mistake while it is typed; only once it is meant to be one.
  typed.addEventListener("change", () => {
    const s = read(typed.value);
    complain(typeof s === "number" ? "" : `${s} Shown is still ${readout.querySelector("b").textContent.split(":")[0]}.`);
  });

  element("explorer").hidden = false;
  document.querySelectorAll(".live").forEach((e) => { e.hidden = e.contains(canvas) ? !(data.directions && n > 1) : !charts.length; });
  const begin = () => choose(data.start);
  // Once all scripts of the page listen.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin); else begin();
})();

// Tables that are wider than their box say so.
(() => {
  const boxes = [...document.querySelectorAll(".scroll")];
  const look = () => boxes.forEach((box) => box.classList.toggle("wide", box.scrollWidth > box.clientWidth + 1));
  const watch = new ResizeObserver(look);
  boxes.forEach((box) => watch.observe(box));
  look();
})();
