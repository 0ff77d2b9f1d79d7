/** A field whose content one button copies. */
customElements.define(
  "chat-copy",
  class extends HTMLElement {
    connectedCallback() {
      const [input, button] = [this.querySelector("input"), this.querySelector("button")];
      button.addEventListener("click", async () => {
        input.select();
        // What is no secure page may not write there; what is selected can be copied by hand.
        await navigator.clipboard?.writeText(input.value);
        button.textContent = navigator.clipboard ? "Copied" : "Selected";
      });
    }
  },
);
