/** Days one often goes back to. */

/** `[{words, at}]`: when each begins, in milliseconds, and null for the beginning of all. */
export function dayChoices(now = Date.now()) {
  const ago = (days, months = 0) => {
    const at = new Date(now);
    at.setHours(0, 0, 0, 0);
    at.setMonth(at.getMonth() - months, months ? Math.min(at.getDate(), lastDay(at, months)) : at.getDate() - days);
    return at.getTime();
  };
  return [
    { words: "Today", at: ago(0) },
    { words: "Yesterday", at: ago(1) },
    { words: "A week ago", at: ago(7) },
    { words: "A month ago", at: ago(0, 1) },
    { words: "The beginning", at: null },
  ];
}

/** Of the month so many before. */
function lastDay(at, months) {
  return new Date(at.getFullYear(), at.getMonth() - months + 1, 0).getDate();
}
