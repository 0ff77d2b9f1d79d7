/** Making pieces of page. */

const SVG = "http://www.w3.org/2000/svg";

/** The one element of rendered HTML that the server made. */
export function fromHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** `element("li", {class: "entry", "data-id": 3}, child, "text")`; null attributes are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** What may be wider than its place is scrolled by keys, too. */
export function reachable(part) {
  for (const wide of part.querySelectorAll("pre, table")) wide.tabIndex = 0;
}

/** A button that shows only a picture. Its title is its words; `class` adds to its own. */
export function iconButton(title, picture, { class: more = "", ...attributes } = {}) {
  const words = element("span", { class: "only-read-aloud" }, title);
  return element("button", { type: "button", class: `icon-button ${more}`.trim(), title, ...attributes }, picture, words);
}

export function icon(name, small = true) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", small ? "icon icon-small" : "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Put what is open above what opened it, or below where there is no room; towards the middle of the page. */
export function placeNear(popover, near) {
  const { width, height } = popover.getBoundingClientRect();
  const above = near.top - height - 6;
  popover.style.insetBlockStart = `${Math.max(8, above > 8 ? above : Math.min(near.bottom + 6, innerHeight - height - 8))}px`;
  const start = near.left < innerWidth / 2 ? near.left : near.right - width;
  popover.style.insetInlineStart = `${Math.max(8, Math.min(start, innerWidth - width - 8))}px`;
}

export function avatar(person, { presence = false, state = "offline" } = {}) {
  const face = person.avatar
    ? element("img", { src: person.avatar, alt: "" })
    : person.kind === "robot"
      ? icon("robot")
      : (person.name || "?")[0].toUpperCase();
  const dot = presence ? element("span", presenceAttributes(person.id, state)) : null;
  const attributes = { class: "avatar avatar-small", "data-tint": person.id % 10, "data-kind": person.kind };
  return element("span", attributes, element("span", { "aria-hidden": "true" }, face), dot);
}

function presenceAttributes(id, state) {
  return { class: "presence", "data-presence": id, "data-state": state, role: "img", "aria-label": state };
}
