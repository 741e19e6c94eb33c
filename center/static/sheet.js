// A sheet to print; that of 119 is written into the audit, by the button or the browser's own menu.
const button = document.getElementById("print");
if (button) {
  const { printed, csrf } = button.dataset;
  if (printed) addEventListener("beforeprint", () => navigator.sendBeacon(printed, new URLSearchParams({ csrf })));
  button.onclick = () => print();
}
