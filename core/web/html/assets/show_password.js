// Gives every password field a button that shows what was typed. Without scripts there is no button.
"use strict";

for (const input of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);

  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(shown));
    button.setAttribute("aria-label", shown ? "Hide password" : "Show password");
  };
  show(false);
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers offer to remember only what is submitted as a password.
  input.form.addEventListener("submit", () => show(false));
  input.parentElement.append(button);
}
