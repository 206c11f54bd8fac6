// Makes pages pleasant. Without it everything works, too: nothing here does what a link or a form does not.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
/** A page loads its parts again at most that often, in milliseconds. */
const RELOAD_INTERVAL = 5000;
/** It tries again after so many milliseconds what did not load, or what somebody was using. */
const RETRY_INTERVAL = 30000;

/** Whether a person is doing something in a part of the page that loading it again would undo. */
function isInUse(part) {
  return part.contains(document.activeElement) && document.activeElement !== document.body
    || part.querySelector("input:checked, details[open]") !== null;
}

/** Loads the page again and puts its live parts in place of those that are shown. Returns whether nothing is left to be shown. */
async function reload() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "manual" });
  // Whoever is signed out is shown nothing new.
  if (answer.type === "opaqueredirect" || answer.status === 401) return true;
  if (!answer.ok) return false;
  let isWhole = true;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (!other || other.innerHTML === part.innerHTML) continue;
    if (isInUse(part)) {
      isWhole = false;
    } else {
      part.replaceChildren(...document.importNode(other, true).childNodes);
    }
  }
  const counts = [...document.querySelectorAll(".side nav li")];
  fresh.querySelectorAll(".side nav li").forEach((item, index) => {
    if (counts[index] && counts[index].innerHTML !== item.innerHTML) {
      counts[index].replaceChildren(...document.importNode(item, true).childNodes);
    }
  });
  if (isWhole) document.body.dataset.seen = fresh.body.dataset.seen ?? "";
  prepare();
  return isWhole;
}

/** Follows changes while the page is seen. */
function follow() {
  if (!document.querySelector("[data-live]") || !("EventSource" in window)) return;
  let source = null;
  let last = 0;
  let waiting = 0;
  const soon = () => {
    if (waiting) return;
    waiting = setTimeout(async () => {
      waiting = 0;
      last = Date.now();
      const isWhole = await reload().catch(() => false);
      if (!isWhole) setTimeout(soon, RETRY_INTERVAL);
    }, Math.max(0, last + RELOAD_INTERVAL - Date.now()));
  };
  const open = () => {
    // What has changed since the page was written is heard of immediately.
    source = new EventSource(`/events?seen=${document.body.dataset.seen ?? ""}`);
    source.addEventListener("change", soon);
    // From here on nothing that changes is missed.
    source.addEventListener("open", (event) => {
      if (event instanceof MessageEvent) document.documentElement.dataset.live = "open";
    });
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) {
      soon();
      open();
    }
  });
  addEventListener("pagehide", () => source?.close());
  if (!document.hidden) open();
}

/** What has to be done again for parts that are new. */
function prepare() {
  for (const all of document.querySelectorAll("[data-select-all]")) {
    all.hidden = false;
    all.onchange = () => {
      for (const box of all.closest("table").querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
    };
  }
  for (const chart of document.querySelectorAll("svg.chart[data-points]")) if (!chart.onpointermove) point(chart);
}

/** Shows the reading under the pointer. */
function point(chart) {
  const points = chart.dataset.points.split(",").filter(Boolean).map((text) => text.split(" "));
  if (points.length === 0) return;
  const clock = new Intl.DateTimeFormat(undefined, {
    timeZone: document.body.dataset.zone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
  });
  const make = (name, kind) => {
    const element = document.createElementNS(SVG, name);
    element.setAttribute("class", kind);
    element.setAttribute("aria-hidden", "true");
    chart.append(element);
    return element;
  };
  const view = chart.viewBox.baseVal;
  let shown = null;
  chart.onpointermove = (event) => {
    shown ??= { line: make("line", "cross"), dot: make("circle", "cross-dot"), text: make("text", "cross-text") };
    const x = (event.clientX - chart.getBoundingClientRect().left) / chart.clientWidth * view.width;
    const near = points.reduce((best, one) => Math.abs(one[0] - x) < Math.abs(best[0] - x) ? one : best);
    const [left, top, seconds, value] = near;
    const set = (element, values) => {
      for (const [name, text] of Object.entries(values)) element.setAttribute(name, text);
    };
    set(shown.line, { x1: left, x2: left, y1: 10, y2: view.height - 24 });
    set(shown.dot, { cx: left, cy: top, r: 4 });
    const middle = Math.min(Math.max(Number(left), 110), view.width - 90);
    set(shown.text, { x: middle, y: Number(top) > 40 ? Number(top) - 12 : Number(top) + 24 });
    shown.text.textContent = `${value}${chart.dataset.unit} · ${clock.format(new Date(seconds * 1000))}`;
  };
  chart.onpointerleave = () => {
    if (shown) for (const element of Object.values(shown)) element.remove();
    shown = null;
  };
}

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, select, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    document.getElementById("find").focus();
  }
});
prepare();
follow();
