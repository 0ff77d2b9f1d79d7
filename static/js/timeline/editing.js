/** Editing a message where it stands, in the form of its own page. */
import { element } from "chat/dom";
import { fetchPage } from "chat/refresh";
import { myRooms, named, numbered } from "chat/rooms";
import { mark } from "chat/timeline/entry";

/** By message, what was written and neither saved nor left: the form may go with the part of history it stands in. */
const unsaved = new Map();

/**
 * Resolves once `save(text)` has promised that it is saved, or its writer leaves it as it is: to
 * whether they were at it until then. To null where it cannot be edited. What could not be saved
 * stays in its form.
 */
export async function editInPlace(article, save) {
  const { id } = article.dataset;
  if (goOn(article)) return false;
  const { page } = await fetchPage(`/messages/${id}/edit/`);
  // Who asks twice has it open by now.
  if (goOn(article)) return false;
  const form = page.querySelector("[data-partial] form");
  let body = article.querySelector("[data-body]");
  if (!form || !body) return null;
  const area = form.elements.body;
  const place = element("div", { class: "inline-edit", "data-own": true }, document.adoptNode(form));
  area.value = unsaved.get(id) ?? named(area.value, myRooms());
  area.addEventListener("input", () => unsaved.set(id, area.value));
  body.replaceWith(place);
  // The message has changed meanwhile: so it is shown afterwards.
  place.addEventListener("told", ({ detail: told }) => (told ? (body = told.cloneNode(true)) : place.remove()));
  putCaretAtEnd(area);
  await answered(form, () => save(numbered(area.value, myRooms())));
  unsaved.delete(id);
  const wasAtIt = place.contains(document.activeElement);
  place.replaceWith(body);
  mark(article.closest(".entry"));
  return wasAtIt;
}

/** With an edit that is open already. Returns whether one is. */
function goOn(article) {
  const area = article.querySelector(".inline-edit textarea");
  area?.focus();
  return Boolean(area);
}

/** Until it is saved, or left; what is on its way is neither changed nor taken back. */
function answered(form, save) {
  const { body: area } = form.elements;
  return new Promise((resolve) => {
    const submit = async (event) => {
      event.preventDefault();
      if (area.readOnly) return;
      area.readOnly = true;
      if (await save()) resolve();
      area.readOnly = false;
    };
    const cancel = (event) => (event.preventDefault(), area.readOnly || resolve());
    form.addEventListener("submit", submit);
    form.addEventListener("click", (event) => event.target.closest("[data-close]") && cancel(event));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") cancel(event);
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === area) submit(event);
    });
  });
}

function putCaretAtEnd(area) {
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
}
