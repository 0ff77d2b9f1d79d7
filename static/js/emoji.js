/** The few that say most of what is said. */
export const EMOJI = [..."👍👎❤️🎉😄😂🙏👀✅❌🔥💯🤔😮😢😡👏🙌💪🚀🐛💡☕👋"].reduce(
  (made, sign) => (sign === "\ufe0f" ? [...made.slice(0, -1), made.at(-1) + sign] : [...made, sign]),
  [],
);
