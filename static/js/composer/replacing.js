/** What is written, `{text, start, end}` with what is selected in it, and edits of it that can be undone. */

export function written({ value, selectionStart, selectionEnd }) {
  return { text: value, start: selectionStart, end: selectionEnd };
}

/** Make an edit as if it were typed: undoing takes it back, and `input` is heard. */
export function replace(textarea, { from, to, put, start, end }) {
  textarea.focus();
  textarea.setSelectionRange(from, to);
  // Of all ways to change a text, only this one can be undone. It is old, not gone: nothing else has come.
  const typed = from === to && !put ? true : document.execCommand(put ? "insertText" : "delete", false, put);
  if (!typed) {
    textarea.setRangeText(put, from, to, "end");
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }
  textarea.setSelectionRange(start, end);
}
