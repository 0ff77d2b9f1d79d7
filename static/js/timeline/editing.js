/** Editing a message where it stands, in the form of its own page. */
import { element } from "chat/dom";
import { fetchPage } from "chat/refresh";
import { myRooms, named, numbered } from "chat/rooms";
import { mark } from "chat/timeline/entry";

/**
 * Resolves to true once `save(text)` has promised that it is saved, or its writer leaves it as it
 * is; to false where it cannot be edited. What could not be saved stays in its form.
 */
export async function editInPlace(article, save) {
  const open = article.querySelector(".inline-edit textarea");
  if (open) return open.focus(), true;
  const { page } = await fetchPage(`/messages/${article.dataset.id}/edit/`);
  const form = page.querySelector("[data-partial] form");
  let body = article.querySelector("[data-body]");
  if (!form || !body) return false;
  const place = element("div", { class: "inline-edit", "data-own": true }, document.adoptNode(form));
  form.elements.body.value = named(form.elements.body.value, myRooms());
  body.replaceWith(place);
  // The message has changed meanwhile: so it is shown afterwards.
  place.addEventListener("told", ({ detail: told }) => (told ? (body = told.cloneNode(true)) : place.remove()));
  putCaretAtEnd(form.elements.body);
  await answered(form, () => save(numbered(form.elements.body.value, myRooms())));
  place.replaceWith(body);
  mark(article.closest(".entry"));
  return true;
}

/** Until it is saved, or left. */
function answered(form, save) {
  return new Promise((resolve) => {
    let saving = false;
    const submit = async (event) => {
      event.preventDefault();
      if (saving) return;
      saving = true;
      if (await save()) resolve();
      saving = false;
    };
    const cancel = (event) => (event.preventDefault(), resolve());
    form.addEventListener("submit", submit);
    form.addEventListener("click", (event) => event.target.closest("[data-close]") && cancel(event));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") cancel(event);
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === form.elements.body) submit(event);
    });
  });
}

function putCaretAtEnd(area) {
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
}
