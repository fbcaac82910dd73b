export default function ({ data, parentElement }) {
  drawPhone(parentElement, { parts: fillPlaceholders(data.text, {}), sender: data.sender, name: data.name });
}
