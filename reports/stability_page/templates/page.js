"use strict";
// The noise slider: what the optimum retains, and a slice of the landscape, for any noise; from the spectrum alone.
(() => {
  const data = JSON.parse(document.getElementById("spectrum").textContent);
  const lam = data.eigenvalues.filter((x) => x > 0);
  const n = data.eigenvalues.length, k = data.k;
  // A noise within the error of an eigenvalue, 0 where that was typed, ties with it: as Eigenvalues.position has it.
  const place = (s) => {
    const near = data.eigenvalues.map((x, i) => (Math.abs(x - s) <= data.errors[i] ? i : -1)).filter((i) => i >= 0);
    if (!near.length) return { above: lam.filter((x) => x > s).length, level: 0, open: false };
    const first = near[0], last = near[near.length - 1];
    return { above: first, level: last - first + 1, open: near.some((i) => data.errors[i] > 0) };
  };
  const names = (first, count) => count === 1 ? `λ${sub(first + 1)}` : `λ${sub(first + 1)} to λ${sub(first + count)}`;
  const low = Math.log(Math.max(lam[lam.length - 1], lam[0] * 1e-6) / 2), high = Math.log(lam[0] * 2);
  const slider = document.getElementById("slider"), readout = document.getElementById("readout");
  const canvas = document.getElementById("canvas");
  const cividis = [[0, 34, 78], [58, 72, 107], [124, 123, 120], [187, 172, 104], [254, 232, 56]];

  const shown = (x) => {
    const size = Math.abs(x);
    if (x === 0 || (size >= 1e-4 && size < 1e6)) return String(+x.toPrecision(6)).replaceAll("-", "−");
    const [mantissa, power] = (+x.toPrecision(6)).toExponential().split("e");
    const raised = String(+power).replace(/[-\d]/g, (d) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(d)]);
    return `${mantissa.replace("-", "−")} × 10${raised}`;
  };
  const sub = (j) => String(j).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);
  // L at the optimum: −1/2 Σ [log 2π c + λ/c] with c = λ where retained, σ² elsewhere.
  const likelihood = (s, q) => -0.5 * data.eigenvalues.reduce((sum, x, i) => {
    const c = i < q ? x : s;
    return sum + Math.log(2 * Math.PI * c) + x / c;
  }, 0);
  const colour = (t) => {
    const x = Math.min(0.9999, Math.max(0, t)) * (cividis.length - 1), i = Math.floor(x), f = x - i;
    return cividis[i].map((c, m) => c + f * (cividis[i + 1][m] - c));
  };
  // Two zero columns moved along u_i and u_j: L = const + f_i(a) + f_j(b), f(a) = −1/2 [log(a² + σ²) + λ/(a² + σ²)].
  const slice = (s) => {
    const [li, lj] = data.directions.map((d) => data.eigenvalues[d - 1]);
    const size = canvas.width, reach = 1.6 * Math.sqrt(Math.max(li, lj) || s);
    const along = (l) => Float64Array.from({ length: size }, (_, p) => {
      const a = reach * (2 * (p + 0.5) / size - 1), c = a * a + s;
      return -0.5 * (Math.log(c) + l / c);
    });
    const f = along(li), g = along(lj);
    const top = Math.max(...f) + Math.max(...g), middle = f[size >> 1] + g[size >> 1];
    const edge = f[0] + g[0], bottom = Math.min(middle, edge);
    const context = canvas.getContext("2d"), image = context.createImageData(size, size);
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        const t = top > bottom ? (f[x] + g[size - 1 - y] - bottom) / (top - bottom) : 0.5;
        // Twelve bands, so that contours are seen.
        image.data.set([...colour(Math.round(t * 12) / 12), 255], 4 * (y * size + x));
      }
    }
    context.putImageData(image, 0, 0);
    context.beginPath();
    context.arc(size / 2, size / 2, 4, 0, 2 * Math.PI);
    context.fillStyle = "white"; context.strokeStyle = "black";
    context.fill(); context.stroke();
  };
  const show = (s) => {
    const { above, level, open } = place(s), q = Math.min(k, above), most = open ? Math.min(k, above + level) : q;
    const counted = (low, high) => low === high ? `${low}` : `${low} ${high === low + 1 ? "or" : "to"} ${high}`;
    const lines = [`σ² = ${shown(s)}: ${counted(q, most)} of ${k} latents retained, ${counted(k - most, k - q)} collapsed.`];
    if (most > q) lines.push(`Rounding cannot tell ${names(above, level)} from this noise.`);
    else if (level && above < k) lines.push(`${names(above, level)} ${level > 1 ? "equal" : "equals"} this noise, which counts as collapsed.`);
    lines.push(`L = ${shown(likelihood(s, q))} nats per datum at this optimum.`);
    lines.push(above ? `From W = 0 the fastest escape is along u₁, at rate ${shown((lam[0] - s) / s / s)}.` : most ? "Whether W = 0 is the global optimum is undecided." : "W = 0 is the global optimum.");
    if (data.directions && n > 1) {
      const count = data.directions.filter((d) => d <= above).length;
      lines.push(`The slice: zero columns moved along u${sub(data.directions[0])} and u${sub(data.directions[1])}, unstable in ${count} of 2.`);
      slice(s);
    } else { canvas.hidden = true; }
    readout.textContent = lines.join(" ");
    slider.setAttribute("aria-valuetext", `noise ${shown(s)}`);
  };
  slider.value = Math.round(slider.max * (Math.log(data.start) - low) / (high - low));
  // The noise that is shown is the noise that is computed with, to the last digit.
  slider.addEventListener("input", () => show(+Math.exp(low + (high - low) * slider.value / slider.max).toPrecision(4)));
  document.getElementById("explorer").hidden = false;
  show(data.start);
})();

// Claims: all open on paper and at a press of a button; a link to one opens it.
(() => {
  const claims = [...document.querySelectorAll("details.claim")], button = document.getElementById("unfold");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = claims.some((c) => !c.open);
    claims.forEach((c) => { c.open = open; });
    button.textContent = open ? "Close all claims" : "Open all claims";
  });
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = claims.filter((c) => !c.open);
    closed.forEach((c) => { c.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((c) => { c.open = false; }));
})();
