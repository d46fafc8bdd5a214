"use strict";
// The data at the noise of the explorer: x̂ = mean + Σ_{j ≤ q} (1 − σ²/λ_j) c_j u_j, drawn again at each event "noise".
(() => {
  const data = JSON.parse(document.getElementById("portrait").textContent);
  const unpacked = ({ low, step, bits, shape, data: text }) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
    const values = Float64Array.from({ length: bytes.length / (bits / 8) }, (_, i) =>
      low + step * (bits === 8 ? view.getUint8(i) : view.getUint16(2 * i, true)));
    return { values, shape };
  };
  const mean = unpacked(data.mean).values;
  const axes = unpacked(data.axes), coordinates = unpacked(data.coordinates);
  const [places, m] = axes.shape, rows = coordinates.shape[0];
  const tried = document.getElementById("tried");
  // Of row r at s = βσ² with q retained, as far as axes are kept here.
  const again = (r, s, q) => {
    const x = Float64Array.from(mean);
    for (let j = 0; j < Math.min(q, m); j += 1) {
      const c = (1 - s / data.eigenvalues[j]) * coordinates.values[r * m + j];
      for (let p = 0; p < places; p += 1) x[p] += c * axes.values[p * m + j];
    }
    return x;
  };
  const { transform, alpha, low, high } = data.display;
  const displayed = (y) => {
    if (transform === "none") return y;
    return Math.min(1, Math.max(0, (0.5 * (1 + Math.tanh(0.5 * y)) - alpha) / (1 - 2 * alpha)));
  };
  const canvases = [...document.querySelectorAll("#tried canvas")];
  const paint = (canvas, x) => {
    const [height, width, channels] = data.image, context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let p = 0; p < width * height; p += 1) {
      for (let c = 0; c < 3; c += 1) {
        const t = high > low ? (displayed(x[p * channels + (channels === 3 ? c : 0)]) - low) / (high - low) : 0.5;
        image.data[4 * p + c] = Math.round(255 * Math.min(1, Math.max(0, t)));
      }
      image.data[4 * p + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  };
  const pictures = [...document.querySelectorAll(".dots svg")].map((svg) => [...svg.querySelectorAll(".tried")]);
  const move = (marks, x) => marks.forEach((mark, i) => {
    const [left, right] = data.place, z = (x[i] - mean[i]) / data.scale[i];
    const at = (Math.min(data.reach, Math.max(-data.reach, z)) + data.reach) / (2 * data.reach);
    mark.setAttribute("transform", `translate(${left + (right - left) * at} ${mark.dataset.y})`);
  });
  const list = document.querySelectorAll("#data [data-axis]");
  document.addEventListener("noise", ({ detail: { effective, retained, most, k, said } }) => {
    for (let r = 0; r < rows; r += 1) {
      const canvas = canvases[r], marks = pictures[r];
      if (canvas || marks) (canvas ? paint(canvas, again(r, effective, retained)) : move(marks, again(r, effective, retained)));
    }
    list.forEach((axis) => axis.classList.toggle("fallen", Number(axis.dataset.axis) > retained));
    const held = retained === most ? `${retained}` : `${retained} to ${most}`;
    const drawn = retained > m ? `, drawn with the first ${m}` : "";
    document.querySelectorAll(".tried-noise").forEach((e) => { e.textContent = `σ² = ${said}`; });
    document.querySelectorAll(".tried-held").forEach((e) => { e.textContent = `${held} of ${k} latents${drawn}`; });
    tried.hidden = false;
    document.querySelectorAll(".dots").forEach((e) => e.classList.add("moved"));
  });
})();
