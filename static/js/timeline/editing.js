/** Editing a message where it stands, in the form of its own page. */
import { element } from "chat/dom";
import { fetchPage } from "chat/refresh";
import { myRooms, named, numbered } from "chat/rooms";

/** Resolves to the new text, or to null where it stays as it is; undefined where it cannot be edited. */
export async function editInPlace(article) {
  const { page } = await fetchPage(`/messages/${article.dataset.id}/edit/`);
  const form = page.querySelector("[data-partial] form");
  if (!form) return undefined;
  const body = article.querySelector("[data-body]");
  const place = element("div", { class: "inline-edit" }, document.adoptNode(form));
  form.elements.body.value = named(form.elements.body.value, myRooms());
  body.replaceWith(place);
  putCaretAtEnd(form.elements.body);
  const text = await answered(form);
  place.replaceWith(body);
  return text && numbered(text, myRooms());
}

function answered(form) {
  return new Promise((resolve) => {
    const save = (event) => (event.preventDefault(), resolve(form.elements.body.value));
    const cancel = (event) => (event.preventDefault(), resolve(null));
    form.addEventListener("submit", save);
    form.addEventListener("click", (event) => event.target.closest("[data-close]") && cancel(event));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") cancel(event);
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === form.elements.body) save(event);
    });
  });
}

function putCaretAtEnd(area) {
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
}
