// What runs inside a page: each function stands alone and returns findings as pairs of a kind and a sentence.

/** Text that ends outside its chart, charts that are hidden or beside the page, and whatever else cannot be seen. */
export function layout(print) {
  const found = [];
  const root = document.scrollingElement;
  const width = root.clientWidth;
  const called = (el) => {
    const text = el.textContent.trim().replace(/\s+/g, " ").slice(0, 60);
    return `<${el.localName}${el.id && `#${el.id}`}> “${text}”`;
  };
  const beside = ({ left, right }) => left < -1 || right > width + 1;
  // On paper nothing can be scrolled.
  const scrolls = (el) => !print && ["auto", "scroll"].includes(getComputedStyle(el).overflowX);
  const scroller = (el) => {
    for (let up = el.parentElement; up && up !== document.body; up = up.parentElement) if (scrolls(up)) return up;
    return null;
  };
  if (root.scrollWidth > width) found.push(["scroll", `the page is ${root.scrollWidth} wide and the window ${width}`]);

  const outside = new Set();
  for (const el of document.body.querySelectorAll(":not(svg, svg *, script, style)")) {
    const box = el.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;
    if (beside(box) && !scroller(el)) {
      // Of what is inside one another the outermost is told.
      if (!outside.has(el.parentElement)) found.push(["overflow", `${called(el)} from ${box.left} to ${box.right}`]);
      outside.add(el);
    }
    const cut = el.scrollWidth > el.clientWidth + 1 && el.clientWidth > 1;
    if (cut && getComputedStyle(el).overflowX !== "visible" && !scrolls(el)) {
      found.push(["cut", `${called(el)}: ${el.clientWidth} of ${el.scrollWidth} can be seen`]);
    }
    if (cut && scrolls(el) && el.tabIndex < 0) found.push(["unfocusable", `${called(el)} scrolls, not by keyboard`]);
    const css = getComputedStyle(el);
    // Browsers leave backgrounds out on paper unless they are told that they mean something.
    const painted = !["rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"].includes(css.backgroundColor);
    if (print && el !== document.body && painted && css.printColorAdjust !== "exact") {
      found.push(["unprinted", `${called(el)} has a background, on paper it has none`]);
    }
    // What stays while the rest scrolls leaves room for the rest.
    const stays = css.position === "sticky" && css.left !== "auto" ? scroller(el) : null;
    if (stays && box.width > 0.45 * stays.clientWidth) {
      found.push(["crowded", `${called(el)} keeps ${box.width} of ${stays.clientWidth}`]);
    }
  }

  const drawn = (svg) => [...svg.children].some((c) => !/^(defs|symbol|style|title|desc|metadata)$/.test(c.localName));
  const charts = [...document.querySelectorAll("svg")].filter((s) => !s.parentElement.closest("svg") && drawn(s));
  for (const svg of charts) {
    const box = svg.getBoundingClientRect();
    const seen = svg.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!seen || box.width < 1 || box.height < 1) {
      found.push(["invisible", `${called(svg)}, ${box.width}×${box.height}`]);
      continue;
    }
    if (beside(box) && !scroller(svg)) found.push(["overflow", `${called(svg)} from ${box.left} to ${box.right}`]);
    const view = svg.viewBox.baseVal;
    const [x, y, w, h] = view?.width ? [view.x, view.y, view.width, view.height]
      : [0, 0, svg.width.baseVal.value, svg.height.baseVal.value];
    const back = svg.getScreenCTM().inverse();
    for (const text of svg.querySelectorAll("text")) {
      if (!text.textContent.trim()) continue;
      const b = text.getBBox();
      const scale = text.getScreenCTM();
      const corners = [[b.x, b.y], [b.x + b.width, b.y], [b.x, b.y + b.height], [b.x + b.width, b.y + b.height]]
        .map(([px, py]) => new DOMPoint(px, py).matrixTransform(scale).matrixTransform(back));
      const inside = corners.every((p) => p.x >= x - 1 && p.x <= x + w + 1 && p.y >= y - 1 && p.y <= y + h + 1);
      if (!inside) found.push(["clipped", `${called(text)} leaves the chart ${w}×${h}`]);
      const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(scale.a, scale.b);
      if (size < 8) found.push(["small", `${called(text)} is ${size.toFixed(1)} px high`]);
    }
  }
  return { found, charts: charts.length };
}

/** Text in charts that does not stand out from what is painted under it: axe does not look there. */
export function contrast() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const colour = (css) => {
    if (!known.has(css)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = css;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      known.set(css, [r, g, b, a / 255]);
    }
    return known.get(css);
  };
  const style = document.createElement("style");
  style.textContent = "svg, svg * { pointer-events: all !important } .asked { background: Canvas !important }";
  document.head.append(style);
  const probe = Object.assign(document.createElement("p"), { className: "asked" });
  document.body.append(probe);
  const paper = colour(getComputedStyle(probe).backgroundColor);
  probe.remove();

  const paint = (el) => {
    const css = getComputedStyle(el);
    const shape = el instanceof SVGGeometryElement;
    const [r, g, b, a] = colour(shape ? (css.fill === "none" ? "transparent" : css.fill) : css.backgroundColor);
    return [r, g, b, a * (shape ? css.fillOpacity : 1) * css.opacity];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const text of document.querySelectorAll("svg text, svg tspan")) {
    if (![...text.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim())) continue;
    let box = text.getBoundingClientRect();
    if (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth) {
      text.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      box = text.getBoundingClientRect();
    }
    const stack = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const below = stack.filter((el) => !(el instanceof SVGTextContentElement)).map(paint);
    const under = below.reverse().reduce((ground, top) => over(top, ground), paper);
    const css = getComputedStyle(text);
    const [r, g, b, a] = colour(css.fill);
    const [l1, l2] = [light(over([r, g, b, a * css.fillOpacity * css.opacity], under)), light(under)];
    const ratio = (Math.max(l1, l2) + 0.05) / (Math.min(l1, l2) + 0.05);
    const size = parseFloat(css.fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b);
    const large = size >= 24 || (size >= 18.66 && css.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      const label = text.textContent.trim().slice(0, 60);
      found.push(["contrast", `“${label}” in ${css.fill} on rgb(${under.map(Math.round)})`]);
    }
  }
  style.remove();
  return found;
}

/** Takes the innermost sections out of the page, and says how many there are. */
export function takeApart() {
  const parts = [...document.querySelectorAll("main > section:not(:has(> section)), main > section > section")];
  window.__parts = parts.map((part) => ({ part, gap: document.createComment("") }));
  for (const { part, gap } of window.__parts) part.replaceWith(gap);
  return parts.length;
}

/** Puts one section back where it was, or all of them. */
export function putBack(which) {
  const all = window.__parts ?? [];
  for (const { part, gap } of which === null ? all : [all[which]]) if (gap.isConnected) gap.replaceWith(part);
}

/** Takes one section out again. */
export function takeOut(which) {
  const { part, gap } = window.__parts[which];
  part.replaceWith(gap);
}

/** Opens everything that can be folded. */
export function unfold() {
  for (const details of document.querySelectorAll("details")) details.setAttribute("open", "");
}

/** The text that a reader sees. */
export function shownText() {
  return document.body.innerText.replace(/\s+/g, " ").trim();
}

/** The text that is in the page, as it was written. */
export function writtenText() {
  const copy = document.body.cloneNode(true);
  for (const other of copy.querySelectorAll("script, style, template")) other.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}
