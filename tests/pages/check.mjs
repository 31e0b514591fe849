// Opens pages in headless Chromium, wide and narrow, light and dark, and prints what is wrong with each, one JSON line a
// page: console messages, requests beyond the page itself, axe-core violations, text wider than the screen.
//
//   npm install && node check.mjs CHROMIUM FOLDER_FOR_SCREENSHOTS PAGE.html ...
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// What is needed lies beside this file, or in node_modules of the folder where it is started.
const require = createRequire(pathToFileURL(join(process.cwd(), "check.mjs")));
const { chromium } = require("playwright-core");
const axe = require("axe-core");

const [executablePath, shots, ...pages] = process.argv.slice(2);
const WIDTHS = [1280, 400];
const SCHEMES = ["light", "dark"];

async function problemsOf(browser, url, width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const found = [];
  page.on("console", (message) => found.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => found.push(`script: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) found.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (wide > room) found.push(`${wide} pixels wide on a screen of ${room}`);
  const said = found.length;
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  found.length = said; // what axe itself asks for is not the page's doing
  for (const one of violations) found.push(`axe: ${one.id}: ${one.help}: ${one.nodes[0].html.slice(0, 200)}`);
  const name = `${basename(dirname(url))}-${width}-${colorScheme}.png`;
  await page.screenshot({ path: join(shots, name), fullPage: true });
  await context.close();
  return found.map((problem) => `${width} ${colorScheme}: ${problem}`);
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
let failed = false;
for (const file of pages) {
  const url = pathToFileURL(resolve(file)).href;
  const problems = [];
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) problems.push(...(await problemsOf(browser, url, width, scheme)));
  }
  failed ||= problems.length > 0;
  console.log(JSON.stringify({ page: file, problems }));
}
await browser.close();
process.exit(failed ? 1 : 0);
