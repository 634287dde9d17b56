// Reads pages as people do: on a phone, on a laptop, on paper; by day and by night; with scripts and without.
//
//   node page.mjs [--axe [--parts]] [--charts N] [--verbatim TEXTS.json] [--pictures DIR] PAGE…
//
// With --parts axe, which takes minutes for a large page, is given one section after another, on the phone by night and
// on the laptop by day.
//
// Prints what is wrong, a line a finding: the page, the kind, the place, a sentence. Exits with 1 if anything is.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { watch, withBrowser } from "./browser.mjs";
import { contrast, layout, shownText, unfold, writtenText } from "./inside.mjs";

const PLACES = { phone: [360, 740], laptop: [1366, 768], print: [794, 1123] };
const BYTES_MAX = 8 << 20;
/** How many findings of a kind are told of one place. */
const TOLD_MAX = 5;
const PICTURE_MAX = 6000;

const options = { axe: "boolean", parts: "boolean", charts: "string", verbatim: "string", pictures: "string" };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(Object.entries(options).map(([name, type]) => [name, { type }])),
});
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const verbatim = values.verbatim ? JSON.parse(readFileSync(values.verbatim, "utf8")) : [];
const charts = Number(values.charts ?? 0);

/** Opens a page in one place and hands it on, with a function that tells what is wrong in one scheme of colours. */
async function open(browser, file, { place, scripts = true }, tell, read) {
  const url = pathToFileURL(resolve(file)).href;
  const [width, height] = PLACES[place];
  const page = await browser.newPage();
  const session = await page.createCDPSession();
  let scheme = "light";
  const found = (kind, text) => tell(kind, [place, scheme, ...(scripts ? [] : ["without scripts"])].join(" "), text);
  // Both at once: each of puppeteer's two functions takes back what the other said.
  const paint = (name) => {
    scheme = name;
    const features = [{ name: "prefers-color-scheme", value: name }];
    return session.send("Emulation.setEmulatedMedia", { media: place === "print" ? "print" : "screen", features });
  };
  try {
    await page.setViewport({ width, height });
    await paint(scheme);
    if (!scripts) await page.setJavaScriptEnabled(false);
    await watch(page, (asked) => asked.split("#")[0] === url, found);
    await page.goto(url, { waitUntil: "load", timeout: 60_000 });
    // What is folded on a screen is not on paper.
    if (place !== "print") await page.evaluate(unfold);
    const result = await read(page, found, paint);
    if (await page.evaluate(() => window.__hit !== undefined)) found("executed", "a name was run as a script");
    return result;
  } finally {
    await page.close();
  }
}

async function look(page, file, place, scheme, found) {
  const laid = await page.evaluate(layout, place === "print");
  for (const [kind, text] of laid.found) found(kind, text);
  if (laid.charts < charts) found("charts", `${laid.charts} charts instead of ${charts}`);
  if (values.pictures) {
    mkdirSync(values.pictures, { recursive: true });
    const { width, height } = page.viewport();
    const all = await page.evaluate(() => document.scrollingElement.scrollHeight);
    const clip = { x: 0, y: 0, width, height: Math.min(Math.max(all, height), PICTURE_MAX) };
    const name = join(values.pictures, `${basename(file, ".html")}-${place}-${scheme}`);
    await page.screenshot({ path: `${name}.png`, clip, captureBeyondViewport: true });
    if (place === "print") writeFileSync(`${name}.pdf`, await page.pdf({ format: "A4", timeout: 120_000 }));
  }
  // Colours do not depend on the width.
  if (place === "laptop") for (const [kind, text] of await page.evaluate(contrast)) found(kind, text);
  const skipped = place === "print" || (values.parts && scheme !== { phone: "dark", laptop: "light" }[place]);
  if (values.axe && !skipped) await accessible(page, found);
  return laid.charts;
}

async function accessible(page, found) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async (byParts) => {
    const innermost = "main > section:not(:has(> section)), main > section > section";
    const parts = byParts ? [...document.querySelectorAll(innermost)] : [];
    const gaps = parts.map((part) => {
      const gap = document.createComment("");
      part.replaceWith(gap);
      return gap;
    });
    const read = async () => {
      const { violations } = await window.axe.run(document, { resultTypes: ["violations"], preload: false });
      return violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.map((n) => n.html) }));
    };
    const all = parts.length ? [] : await read();
    for (const [i, part] of parts.entries()) {
      gaps[i].replaceWith(part);
      all.push(...(await read()));
      part.replaceWith(gaps[i]);
    }
    parts.forEach((part, i) => gaps[i].replaceWith(part));
    return all;
  }, Boolean(values.parts));
  for (const { id, impact, help, where } of violations) {
    if (impact !== "serious" && impact !== "critical") continue;
    for (const html of where) found("axe", `${id}, ${impact}: ${help}: ${html.slice(0, 120)}`);
  }
}

/** A text in which letters that show nothing are marked, as a page may mark them. */
function plain(text) {
  return text.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "\ufffd").replace(/\s+/g, " ").trim();
}

/** All that is wrong with one page. */
async function check(browser, file, tell) {
  const bytes = statSync(file).size;
  if (bytes > BYTES_MAX) tell("size", "everywhere", `${bytes} bytes, and ${BYTES_MAX} are allowed`);
  let [seen, shown, written] = [0, "", ""];
  for (const place of Object.keys(PLACES)) {
    await open(browser, file, { place }, tell, async (page, found, paint) => {
      if (place === "laptop") [shown, written] = [await page.evaluate(shownText), await page.evaluate(writtenText)];
      for (const scheme of ["light", "dark"]) {
        await paint(scheme);
        seen += await look(page, file, place, scheme, found);
      }
    });
  }
  const text = (page) => page.evaluate(shownText);
  const without = await open(browser, file, { place: "laptop", scripts: false }, tell, text);
  if (shown !== without) {
    const from = [...shown].findIndex((c, i) => c !== without[i]);
    const [a, b] = [shown, without].map((t) => t.slice(Math.max(0, from - 20), from + 60));
    tell("text", "laptop", `with scripts “…${a}”, without “…${b}”`);
  }
  if (!shown) tell("text", "laptop", "nothing is shown");
  for (const text of verbatim) {
    if (!plain(written).includes(plain(text))) tell("verbatim", "laptop", `not in the page: ${text}`);
  }
  return { bytes, seen };
}

let wrong = 0;
await withBrowser(async (browser) => {
  for (const file of positionals) {
    const told = new Map();
    const began = Date.now();
    const tell = (kind, at, text) => {
      wrong += 1;
      const times = (told.get(`${kind} ${at}`) ?? 0) + 1;
      told.set(`${kind} ${at}`, times);
      if (times <= TOLD_MAX) console.log([basename(file), kind, at, text.replace(/\s+/g, " ")].join("\t"));
    };
    const { bytes, seen } = await check(browser, file, tell);
    const more = [...told].filter(([, times]) => times > TOLD_MAX);
    for (const [where, times] of more) console.log(`# ${where}: ${times - TOLD_MAX} more`);
    console.log(`# ${file}: ${bytes} bytes, charts seen ${seen} times, ${Date.now() - began} ms`);
  }
});
process.exitCode = wrong || !positionals.length ? 1 : 0;
