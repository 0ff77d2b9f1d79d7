/** The sheet of keys: what can be pressed, and whether single characters act. */
import { element } from "chat/dom";
import { openWith } from "chat/elements/dialog";
import { ANYWHERE, keys, labelsOf } from "chat/keys";

export function openKeys() {
  openWith(
    element(
      "section",
      { class: "keys" },
      element("h1", { id: "dialog-title" }, "Keyboard"),
      element("div", { class: "keys-groups" }, ...keys.sheet.map(group)),
      characters(),
    ),
  );
}

function group({ group: title, rows }) {
  const list = rows.map(({ press, words }) => element("div", { class: "keys-row" }, element("dt", {}, words), element("dd", {}, ...alternatives(press))));
  return element("section", { class: "keys-group" }, element("h2", {}, title), element("dl", {}, ...list));
}

function alternatives(press) {
  return press.flatMap((chord, at) => [...(at ? [" or "] : []), element("span", { class: "keys-chord" }, ...labelsOf(chord, keys).map((label) => element("kbd", {}, label)))]);
}

function characters() {
  const box = element("input", { type: "checkbox", checked: keys.characters });
  box.addEventListener("change", () => (keys.characters = box.checked));
  const hint = "Turn them off where speech or a switch presses keys for you. Kept on this device.";
  return element("label", { class: "choice keys-characters" }, box, element("span", {}, element("span", { class: "choice-title" }, "Keys that are a single character"), element("span", { class: "hint" }, hint)));
}

keys.add({ press: "?", words: "Show these keys", group: ANYWHERE, run: openKeys });

document.addEventListener("click", (event) => event.target.closest("[data-keys]") && openKeys());
