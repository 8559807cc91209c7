// What a reader who sees little, or uses no pointer, would stumble over on this page. Returns a list of sentences; empty is good.
(() => {
  const found = [];
  const say = (what, element) => found.push(element ? `${what}: ${element.outerHTML.replace(/\s+/g, " ").slice(0, 160)}` : what);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const text = (element) => (element?.textContent ?? "").trim();

  // The document.
  if (!document.documentElement.lang) say("no language");
  if (!document.title.trim()) say("no title");
  if (all("h1").filter(shown).length !== 1) say(`${all("h1").length} h1`);
  if (all("main").length !== 1) say(`${all("main").length} main`);
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter(shown)) {
    const next = Number(heading.localName[1]);
    if (next > level + 1) say(`heading jumps from ${level} to ${next}`, heading);
    if (!text(heading)) say("empty heading", heading);
    level = next;
  }
  const ids = new Map();
  for (const element of all("[id]")) {
    if (ids.has(element.id)) say(`id ${element.id} twice`, element);
    ids.set(element.id, element);
  }
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
    for (const element of all(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(/\s+/)) if (!ids.has(id)) say(`${attribute} names nothing`, element);
    }
  }

  // Names.
  const named = (element) => {
    const by = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => text(ids.get(id))).join("");
    const own = element.getAttribute("aria-label")?.trim() || by;
    if (own) return true;
    if (element.labels && [...element.labels].some((label) => text(label))) return true;
    const inside = [...element.childNodes].some(function speaks(node) {
      if (node.nodeType === Node.TEXT_NODE) return node.textContent.trim() !== "";
      if (node.nodeType !== Node.ELEMENT_NODE || node.getAttribute("aria-hidden") === "true") return false;
      if (node.localName === "img") return node.alt.trim() !== "";
      return [...node.childNodes].some(speaks);
    });
    const speaksByContent = ["a", "button", "summary"].includes(element.localName) || element.getAttribute("role") === "button";
    return (speaksByContent && inside) || !!element.getAttribute("title")?.trim();
  };
  for (const control of all("a[href], button, summary, select, textarea, input:not([type=hidden]), [role=button], [tabindex]")) {
    if (!named(control)) say("control without a name", control);
  }
  for (const image of all("img:not([alt]), area:not([alt])")) say("picture without a name", image);
  for (const svg of all("svg")) {
    const silent = svg.closest("[aria-hidden=true]") || ["presentation", "none"].includes(svg.getAttribute("role"));
    const title = [...svg.children].find((child) => child.localName === "title");
    if (!silent && !text(title) && !svg.getAttribute("aria-label") && !svg.getAttribute("aria-labelledby")) say("drawing without a name", svg);
  }
  for (const table of all("table")) {
    if (!table.querySelector("th")) say("table without heads", table);
    if (!table.caption && !table.getAttribute("aria-label") && !table.getAttribute("aria-labelledby")) say("table without a name", table);
  }
  for (const element of all("[tabindex]")) if (element.tabIndex > 0) say("tab order by number", element);
  for (const element of all("[style], style")) say("style outside of the style sheet", element);

  // Contrast (WCAG 2.2 §1.4.3), for text over a plain background.
  const parse = (colour) => {
    const numbers = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    if (colour.startsWith("color(srgb")) return [...numbers.slice(0, 3).map((part) => part * 255), numbers[3] ?? 1];
    return [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const background = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    const page = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return layers.reverse().reduce((below, colour) => over(colour, below), page);
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const seen = new Set();
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element || seen.has(element)) continue;
    seen.add(element);
    if (["script", "style", "title", "desc", "option", "noscript"].includes(element.localName) || !shown(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1 || element.closest("[disabled]")) continue;
    const style = getComputedStyle(element);
    const inSvg = element instanceof SVGElement;
    const below = background(inSvg ? element.closest("svg").parentElement : element);
    const colour = over(parse(inSvg ? style.fill : style.color), below);
    const [light, dark] = [luminance(colour), luminance(below)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const floor = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    texts += 1;
    if (ratio < floor) say(`contrast ${ratio.toFixed(2)} (${style[inSvg ? "fill" : "color"]} on ${below.map(Math.round)}, ${size} px)`, element);
  }
  if (texts < 10) say(`only ${texts} texts were looked at`);

  // Width. A phone shows a page that is too wide from farther away, so its `innerWidth` grows with the page; what it lays out for does not.
  const page = document.scrollingElement;
  const room = page.clientWidth;
  if (page.scrollWidth > room) {
    const wide = all("body *").filter((element) => element.getBoundingClientRect().right > room + 1 && shown(element));
    const culprit = wide.find((element) => !element.closest(".scroll, .chart, .legend"));
    say(`the page scrolls sideways: ${page.scrollWidth} in ${room}`, culprit ?? wide[0]);
  }
  return found;
})();
