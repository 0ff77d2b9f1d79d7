/** A choice of time zone that offers the one this device is in. */
customElements.define(
  "chat-time-zone",
  class extends HTMLElement {
    connectedCallback() {
      const select = this.querySelector("select");
      const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
      if (!here || select.value === here || ![...select.options].some(({ value }) => value === here)) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button-small";
      button.textContent = `Use ${here.replaceAll("_", " ")}, as this device has it`;
      button.addEventListener("click", () => {
        select.value = here;
        button.remove();
        select.focus();
      });
      select.after(button);
    }
  },
);
