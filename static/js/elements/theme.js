/** Light or dark: the system's, until somebody chooses. The server reads the choice from a cookie. */
const dark = matchMedia("(prefers-color-scheme: dark)");

customElements.define(
  "chat-theme",
  class extends HTMLElement {
    connectedCallback() {
      this.querySelector("button").addEventListener("click", () => {
        const root = document.documentElement;
        const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
        root.dataset.theme = now === "dark" ? "light" : "dark";
        document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
      });
    }
  },
);
