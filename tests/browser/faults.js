// What is wrong with the page as it is laid out now: each function returns a list of sentences.
(() => {
  const SMALLEST = 9, SMALLEST_INDEX = 6.5; // CSS pixels; below these, letters and raised or lowered ones blur

  const words = (node) => node.textContent.trim().replace(/\s+/g, " ");
  const quoted = (text) => `“${text.length > 40 ? `${text.slice(0, 39)}…` : text}”`;
  // A selector that a person can follow: from the nearest id on.
  const path = (node) => {
    const parts = [];
    for (let at = node; at && at !== document.body; at = at.parentElement) {
      if (at.id) { parts.unshift(`#${at.id}`); break; }
      const kind = at.classList.length ? `.${[...at.classList].join(".")}` : "";
      parts.unshift(`${at.localName}${kind}`);
    }
    return (parts.length > 4 ? [parts[0], "…", ...parts.slice(-3)] : parts).join(" ");
  };
  const shown = (node) => node.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  const inPicture = (node) => node instanceof SVGElement && !(node instanceof SVGSVGElement);
  const html = () => [...document.body.querySelectorAll("*")].filter((e) => !inPicture(e) && shown(e));
  const scrolls = (node) => ["auto", "scroll"].includes(getComputedStyle(node).overflowX);
  const hides = (node) => ["hidden", "clip"].includes(getComputedStyle(node).overflowX);
  const within = (node, test) => {
    for (let at = node.parentElement; at && at !== document.documentElement; at = at.parentElement) if (test(at)) return true;
    return false;
  };

  // Sticks out of the window, other than inside something that scrolls.  On paper nothing scrolls.
  const overflow = (paper = false) => {
    const wide = document.documentElement.clientWidth, found = [], blamed = new Set();
    const total = document.documentElement.scrollWidth;
    if (total > innerWidth) found.push(`the page is ${total} pixels wide, the window ${innerWidth}`);
    for (const node of html()) {
      const box = node.getBoundingClientRect();
      const parked = box.right <= 0 || box.width <= 1; // out of sight on purpose: a skip link, words for readers aloud
      const contained = within(node, (e) => hides(e) || (!paper && scrolls(e)));
      if (!parked && !contained && (box.right > wide + 1 || box.left < -1)) {
        blamed.add(node);
        if (!blamed.has(node.parentElement)) {
          found.push(`${path(node)} reaches from ${Math.round(box.left)} to ${Math.round(box.right)} of ${wide}`);
        }
      }
      if (paper && scrolls(node) && node.scrollWidth > node.clientWidth + 1) {
        found.push(`${path(node)} is cut at ${node.clientWidth} of ${node.scrollWidth}`);
      }
    }
    return found;
  };

  // What scrolls sideways although the window has room for all of it.
  const cramped = () => html().filter((node) => scrolls(node) && node.scrollWidth > node.clientWidth + 1 &&
    node.scrollWidth <= document.documentElement.clientWidth - 32)
    .map((node) => `${path(node)} shows ${node.clientWidth} of ${node.scrollWidth}, and the window has ${innerWidth}: ${quoted(node.getAttribute("aria-label") || words(node))}`);

  // Words cut off by their box, where no ellipsis says so.
  const clipped = () => html().filter((node) => {
    const style = getComputedStyle(node);
    if (node.clientWidth <= 1 || node instanceof SVGElement || !words(node) || style.display === "inline") return false;
    const across = hides(node) && style.textOverflow !== "ellipsis" && node.scrollWidth > node.clientWidth + 1;
    const down = ["hidden", "clip"].includes(style.overflowY) && style.webkitLineClamp === "none" &&
      node.scrollHeight > node.clientHeight + 1;
    return across || down;
  }).map((node) => `${path(node)} cuts ${quoted(words(node))}: ${node.clientWidth} x ${node.clientHeight} of ${node.scrollWidth} x ${node.scrollHeight}`);

  // Corners of a label's ink on the screen.  The box of a text is as high as its line: letters fill the middle.
  const corners = (text) => {
    const box = text.getBBox(), to = text.getScreenCTM();
    const top = box.y + 0.22 * box.height, bottom = box.y + 0.8 * box.height;
    return [[box.x, top], [box.x + box.width, top], [box.x + box.width, bottom], [box.x, bottom]]
      .map(([x, y]) => new DOMPoint(x, y).matrixTransform(to));
  };
  // By how much two convex quadrilaterals overlap along the axis on which they do least; <= 0 if they do not.
  const depth = (a, b) => {
    let least = Infinity;
    for (const shape of [a, b]) {
      for (const i of [0, 1]) {
        const dx = shape[i + 1].x - shape[i].x, dy = shape[i + 1].y - shape[i].y, size = Math.hypot(dx, dy);
        if (!size) return 0;
        const along = (p) => (p.x * dx + p.y * dy) / size;
        const [u, v] = [a.map(along), b.map(along)];
        least = Math.min(least, Math.min(Math.max(...u), Math.max(...v)) - Math.max(Math.min(...u), Math.min(...v)));
      }
    }
    return least;
  };
  const labels = (picture) => [...picture.querySelectorAll("text")].filter((t) => words(t) && shown(t));
  const pictures = () => [...document.querySelectorAll("svg")].filter((s) => shown(s) && !s.parentElement.closest("svg"));
  const named = (picture) => path(picture.closest("figure, section, [id]") || picture) +
    (picture.getAttribute("aria-label") ? ` ${quoted(picture.getAttribute("aria-label"))}` : "");

  // Labels of one picture that run into each other, or out of the picture.
  const collisions = () => pictures().flatMap((picture) => {
    const found = [], all = labels(picture).map((text) => ({ text, at: corners(text) }));
    all.forEach((one, i) => all.slice(i + 1).forEach((other) => {
      const by = depth(one.at, other.at);
      if (by > 0.5) found.push(`${named(picture)}: ${quoted(words(one.text))} and ${quoted(words(other.text))} overlap by ${by.toFixed(1)}`);
    }));
    return found;
  });
  const outside = () => pictures().flatMap((picture) => {
    const frame = picture.getBoundingClientRect();
    return labels(picture).flatMap((text) => {
      const at = corners(text), x = at.map((p) => p.x), y = at.map((p) => p.y);
      const by = Math.max(frame.left - Math.min(...x), Math.max(...x) - frame.right, frame.top - Math.min(...y), Math.max(...y) - frame.bottom);
      return by > 1 ? [`${named(picture)}: ${quoted(words(text))} is ${by.toFixed(1)} outside`] : [];
    });
  });

  // Letters too small to read, once for each size and place.
  const tiny = () => {
    const found = new Map(), add = (size, limit, where, text) => {
      const key = `${where} at ${size.toFixed(1)} pixels`;
      if (size < limit - 0.05 && !found.has(key)) found.set(key, `${key}: ${quoted(text)}`);
    };
    for (const node of html()) {
      const own = [...node.childNodes].filter((n) => n.nodeType === 3 && n.data.trim()).map((n) => n.data.trim()).join(" ");
      if (own && !(node instanceof SVGElement)) {
        add(parseFloat(getComputedStyle(node).fontSize), node.closest("sub, sup, small") ? SMALLEST_INDEX : SMALLEST, path(node), own);
      }
    }
    for (const picture of pictures()) {
      for (const text of labels(picture)) {
        const to = text.getScreenCTM(), scale = Math.sqrt(Math.abs(to.a * to.d - to.b * to.c));
        add(parseFloat(getComputedStyle(text).fontSize) * scale, SMALLEST, named(picture), words(text));
      }
    }
    return [...found.values()];
  };

  // Places where Tab should stop, in the order of the document; a group of radio buttons is one.
  const stops = () => {
    const wanted = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const groups = new Set();
    return [...document.querySelectorAll(wanted)].filter((e) => shown(e) && !e.disabled && e.tabIndex >= 0).filter((e) => {
      if (e.type !== "radio") return true;
      const group = document.querySelectorAll(`input[type=radio][name="${e.name}"]`);
      const chosen = [...group].find((r) => r.checked);
      if (chosen ? e !== chosen : groups.has(e.name)) return false;
      groups.add(e.name);
      return true;
    });
  };
  const look = (node) => {
    const style = getComputedStyle(node);
    const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 ? style.outline : "";
    return [outline, style.boxShadow, style.backgroundColor, style.borderColor, style.textDecorationLine].join("|");
  };
  // How every stop looks without the focus, to be compared with how it looks with it.
  let listed = [], plain = [];
  const list = () => {
    document.activeElement.blur();
    listed = stops(); plain = listed.map(look);
    return listed.map((e) => `${path(e)} ${quoted(e.getAttribute("aria-label") || words(e))}`);
  };
  // [number of the stop that has the focus, -1 if nothing has, -2 if something else has (Chromium stops at what scrolls);
  // whether one sees that; whether it is in the window]
  const focus = () => {
    const at = listed.indexOf(document.activeElement);
    if (at < 0) return [document.activeElement === document.body ? -1 : -2, true, true];
    const box = listed[at].getBoundingClientRect();
    const inside = box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
    return [at, look(listed[at]) !== plain[at], inside];
  };

  // What is folded now, and what of the folded can be read nevertheless.
  const folded = () => [...document.querySelectorAll("details")].filter((d) => shown(d))
    .filter((d) => [...d.children].some((c) => c.localName !== "summary" && words(c) &&
      !c.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) )).map(path);

  window.faults = { overflow, cramped, clipped, collisions, outside, tiny, list, focus, folded };
})();
