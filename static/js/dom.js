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

export function icon(name, small = true) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", small ? "icon icon-small" : "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
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
