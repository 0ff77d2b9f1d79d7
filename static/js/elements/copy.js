/** A field whose content one button copies. */
customElements.define(
  "chat-copy",
  class extends HTMLElement {
    connectedCallback() {
      const [input, button] = [this.querySelector("input"), this.querySelector("button")];
      button.addEventListener("click", async () => {
        input.select();
        await navigator.clipboard.writeText(input.value);
        button.textContent = "Copied";
      });
    }
  },
);
