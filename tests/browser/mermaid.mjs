// Reads the charts of Markdown files as Mermaid does.
//
//   node mermaid.mjs [--charts N] [--draw DIR] FILE.md…
//
// Prints the charts that are refused, with file and line. With --draw, a browser draws them too, and leaves pictures of
// the first few. Exits with 1 if a chart is refused, or if there are fewer than N.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { JSDOM } from "jsdom";
import { watch, withBrowser } from "./browser.mjs";

// Mermaid cleans labels with DOMPurify, which wants a document, and asks an option of a list for the name of a colour.
globalThis.window = new JSDOM("<!doctype html>").window;
globalThis.document = window.document;
globalThis.Option = window.Option;
const { default: mermaid } = await import("mermaid");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { charts: { type: "string" }, draw: { type: "string" } },
});
const wanted = Number(values.charts ?? 1);
const PICTURES_MAX = 3;

/** The fenced charts of a text, each with the line where it begins. */
function* charts(text) {
  let chart = null;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (chart && line.trimEnd() === "```") {
      yield chart;
      chart = null;
    } else if (chart) chart.lines.push(line);
    else if (line.trimEnd() === "```mermaid") chart = { at: at + 2, lines: [] };
  }
  if (chart) yield { ...chart, unclosed: true };
}

let refused = 0;
const accepted = [];
for (const file of positionals) {
  for (const { at, lines, unclosed } of charts(readFileSync(file, "utf8"))) {
    const text = lines.join("\n");
    try {
      if (unclosed) throw new Error("the fence is never closed");
      await mermaid.parse(text);
      accepted.push({ where: `${file}:${at}`, text });
    } catch (e) {
      refused += 1;
      console.log(`${file}:${at}: ${e.message}`);
    }
  }
}

/** Draws the charts in a browser: each shows its participants, and runs and fetches nothing. */
async function draw(browser, found) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1366, height: 768 });
  let at = "";
  await watch(page, (asked) => asked === "about:blank", (kind, text) => found(at, `${kind}: ${text}`));
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve("mermaid/dist/mermaid.min.js") });
  for (const [i, { where, text }] of accepted.entries()) {
    at = where;
    const wrong = await page.evaluate(async (text) => {
      window.mermaid.initialize({ startOnLoad: false });
      try {
        document.body.innerHTML = (await window.mermaid.render("chart", text)).svg;
      } catch (e) {
        return e.message;
      }
      if (window.__hit !== undefined) return "a name was run as a script";
      // Each participant stands above its line and below it.
      const shown = document.querySelectorAll("svg text.actor").length;
      const declared = text.match(/^\s*(participant|actor) /gm)?.length ?? 0;
      return shown < 2 * declared || !declared ? `${shown} names are drawn for ${declared} participants` : null;
    }, text);
    if (wrong) found(where, wrong);
    if (i < PICTURES_MAX) await page.screenshot({ path: join(values.draw, `chart-${i + 1}.png`) });
  }
}

if (values.draw) {
  mkdirSync(values.draw, { recursive: true });
  await withBrowser((browser) => draw(browser, (where, text) => {
    refused += 1;
    console.log(`${where}: ${text}`);
  }));
}
console.log(`${accepted.length} charts accepted, ${refused} refused`);
process.exit(refused || accepted.length < wanted ? 1 : 0);
