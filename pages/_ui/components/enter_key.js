// Enter in a field presses the button beside it. Leaving the field does not: what moves under the pointer is missed by it.

const listening = new WeakMap();

export default function ({ data, parentElement }) {
  const { field, button } = data;
  const press = (event) => {
    // Enter also ends a word that is still being composed, as in Japanese.
    if (event.key !== "Enter" || event.isComposing || event.repeat) return;
    if (event.target.closest?.(`.st-key-${field}`)) document.querySelector(`.st-key-${button} button`)?.click();
  };
  removeEventListener("keydown", listening.get(parentElement));
  listening.set(parentElement, press);
  // Around all of the page: when it comes by here, the field itself has told what was typed.
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}
