"use strict";
// What is folded: all open on paper and at a press of a button; a link to it, or to what it holds, opens it.
(() => {
  const folds = [...document.querySelectorAll("details")], claims = folds.filter((fold) => fold.matches(".claim"));
  const button = document.getElementById("open-all");
  const show = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = name && document.getElementById(name);
    if (!target) return;
    let closed = false;
    for (let at = target; at; at = at.parentElement) {
      if (at.localName === "details" && !at.open) { at.open = true; closed = true; }
    }
    if (closed) target.scrollIntoView();
  };
  window.addEventListener("hashchange", show);
  // A press on the link to where one already is changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) show(); // a link in a picture has no .hash
  });
  show();

  if (button) {
    const what = button.dataset.what;
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = claims.some((fold) => !fold.open);
      claims.forEach((fold) => { fold.open = open; });
      button.textContent = `${open ? "Close" : "Open"} all ${what}`;
    });
  }

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = folds.filter((fold) => !fold.open);
    closed.forEach((fold) => { fold.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((fold) => { fold.open = false; }));

  // On the map of the claims: the lines of the claim that is pointed at.
  document.querySelectorAll(".map .node").forEach((link) => {
    const lines = [...document.querySelectorAll(`.map path[data-ends~="${link.dataset.end}"]`)];
    const light = (on) => lines.forEach((line) => line.classList.toggle("lit", on));
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => light(true));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, () => light(false));
  });
})();
